"""Settings: environment (LAKEHOUSE_…), then lakehouse.toml, then these defaults."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_origin
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from lakehouse.compliance.filing.filer import FilerSettings
from lakehouse.errors import BadInput
from lakehouse.paths import expanded, is_url, local_file, local_folder, refuse_unprintable
from lakehouse.serve.alerts.mail import MailSettings
from lakehouse.serve.monitor.thresholds import MonitorSettings
from lakehouse.serve.publish.graphite.options import GraphiteSettings
from lakehouse.serve.signin.wanted import PageSettings

if TYPE_CHECKING:
    from lakehouse.contracts.registry import Contract, Layer

WAIT_SECONDS = 600
Source = Literal["simulator", "landing", "both"]
TableSource = Literal["simulator", "landing", "both", "stream"]
Orphans = Literal["quarantine", "keep", "create_minimal"]
Domain = Literal["floor", "online", "platform", "shop"]
DOMAINS: tuple[Domain, ...] = ("floor", "online", "platform", "shop")
_OF_THE_FLOOR = ("compliance", "detection")
"""Folders of contracts that go with the casino floor."""
_SIMULATED = ("simulator", "both")
SCHEMES = ("s3", "s3a", "gs", "az", "adl", "abfs", "abfss", "file")
"""Object stores that Delta knows, and a folder written as an address."""
LATENESS = 30.0
"""Seconds, of a topic of which `lateness_seconds` says nothing."""
LARGEST_SCALE = 10_000
LONGEST_MINUTES = 60 * 24 * 36_500
FIRST_START, LAST_START = dt.date(1970, 1, 1), dt.date(2150, 12, 31)
_SHOWN = 120
_TELL_NOTHING = ("storage_options", "alert_webhook", "mail", "kafka", "postgres", "snowflake")


class Settings(BaseSettings):
    """One lake and the property it describes."""

    model_config = SettingsConfigDict(
        env_prefix="LAKEHOUSE_",
        env_nested_delimiter="__",
        toml_file="lakehouse.toml",
        extra="forbid",
        frozen=True,
    )

    root: str = "data/lake"
    """Folder or object-store URL of the lake."""
    domains: tuple[Domain, ...] = DOMAINS
    """Parts of the house that the lake has: `floor` the casino with its filings and alerts,
    `online` the online casino, `platform` the game platform, `shop` the web shop. What is left
    out has no tables, and costs nothing; runs need the floor."""
    storage_options: dict[str, str] = Field(default_factory=dict)
    """How an object store is reached, by the options of Delta's library, such as AWS_REGION."""
    local_root: Path | None = None
    """What a lake in an object store keeps on this machine is named by it: keys, landed files,
    topics, tokens and reports, as data/casino.keys; by default data/ and the last part of the
    address. A lake in a folder has them beside itself."""
    seed: int = Field(default=42, ge=0, lt=2**63)
    scale: float = Field(default=1.0, gt=0, le=LARGEST_SCALE, allow_inf_nan=False)
    """1.0 is about 23,000 rows a day."""
    start: dt.date = dt.date(2025, 1, 1)
    """First gaming day of the lake."""
    profile: str = "us-federal"
    timezone: str = "America/Los_Angeles"
    pii_key_file: Path | None = None
    """256-bit token key; by default <root>.keys/pii-key, never inside the lake."""
    restricted_key_file: Path | None = None
    """Key that opens review cases to SQL; by default <root>.keys/restricted-key."""
    faults: bool = True
    """Whether simulated bronze receives defects, misconduct and filing faults."""
    source: Source = "simulator"
    sources: dict[str, TableSource] = Field(default_factory=dict)
    """Source by table, where it differs from `source`; `stream` for one whose rows come by its
    topic."""
    orphans: dict[str, Orphans] = Field(default_factory=dict)
    """By table, what becomes of rows that name a patron no profile tells of, or another parent
    that is not there: `keep` lets them into silver as they are; `create_minimal` makes profiles
    of what landed rows name, and quarantines those without another parent; where nothing is said
    of it they are quarantined."""
    wait_seconds: float = Field(default=WAIT_SECONDS, ge=0, allow_inf_nan=False)
    """How long a command waits for another process that is at work in the same place."""
    rejected_share: float = Field(default=0.2, ge=0, le=1, allow_inf_nan=False)
    """Share of a table's landed rows of a gaming day that may be rejected; over it a check fails,
    and `ingest` and `run` end with status 1."""
    carded_bill_in_knowledge: bool = False
    """Whether carded bill-in counts as the casino's knowledge (FinCEN Ruling 2005-1)."""
    multiple_transaction_log_over: str | None = None
    """House policy: dollars over which a transaction is logged; no log without it."""
    session_silence_minutes: int = Field(default=30, ge=1, le=1_440)
    """Silence of an online user that ends a session, where the client tells none."""
    high_frequency_seconds: float = Field(default=2.0, gt=0, le=3_600, allow_inf_nan=False)
    """Events of an online user that come in less than this after the one before are of a
    high-frequency run."""
    on_failure: str | None = None
    """Command that gets a line on its standard input when a run failed, such as `mail -s lake me`;
    the sensor failed_runs runs it."""
    alert_webhook: str | None = None
    """Address that CRITICAL alerts and changes of signals are posted to as JSON, by the sensors
    critical_alerts and monitor and by `lakehouse monitor --watch`."""
    mail: MailSettings | None = None
    """Who gets the same by mail, as LAKEHOUSE_MAIL__SERVER, …__SENDER, …__TO, or in [mail]."""
    monitor: MonitorSettings = Field(default_factory=MonitorSettings)
    """Thresholds of signals and what else the monitor may be told, as
    LAKEHOUSE_MONITOR__THRESHOLDS='{"cpu": {"warning": 70}}' or [monitor.thresholds.cpu]."""
    dagster_url: str | None = None
    """Address of the Dagster UI, such as http://127.0.0.1:3000: pages link to it."""
    sql_seconds: float = Field(default=60, gt=0, allow_inf_nan=False)
    """Seconds that one question in SQL may take."""
    sql_memory: float = Field(default=0.25, gt=0, le=1)
    """Share of the machine's memory that one question in SQL may take."""
    expectations: Path = Path("expectations")
    """Folder of your own suites of Great Expectations: <layer>.<table>.json or .py."""
    data_docs: Path | None = None
    """Folder of their Data Docs; by default <root>.docs beside the lake."""
    kafka: dict[str, str] = Field(default_factory=dict)
    """Where topics are: librdkafka's own settings, such as {"bootstrap.servers": "host:9092"};
    without any, in a log of our own, in a folder."""
    topics: Path | None = None
    """Folder of that log; by default <root>.topics beside the lake."""
    topic_partitions: int = Field(default=4, ge=1, le=1_024)
    """Partitions of a topic that is made: as many readers can share its work."""
    topic_days: float = Field(default=7, gt=0, le=36_500)
    """How long that log keeps messages at least; what is older goes a segment at a time, as
    others come."""
    version_minutes: float = Field(default=10, ge=5, le=LONGEST_MINUTES)
    """Minutes for which older versions of a table that a stream fills can be asked for; `stream
    run` removes what its log has of those before. A commit takes the longer the more there are."""
    reading_hours: int = Field(default=1, ge=1, le=LONGEST_MINUTES // 60)
    """Hours for which somebody may go on reading what he has opened of such a table: files stay for
    so long that were put together meanwhile."""
    postgres: str | None = None
    """Database that `publish postgres` writes to, as postgresql://user:password@host/name; what it
    leaves out is taken from PGPASSFILE and the like, as PostgreSQL's own programs do."""
    snowflake: dict[str, str | int | bool] = Field(default_factory=dict)
    """Account that `publish snowflake` writes to, by the options of Snowflake's connector: account,
    user, database, warehouse, role, private_key_file, token_file_path, or connection_name for one
    of Snowflake's connections.toml."""
    sqlite: Path | None = None
    """File that `publish sqlite` writes to where the command names none."""
    graphite: GraphiteSettings = Field(default_factory=GraphiteSettings)
    """Server that `publish graphite` and `monitor --watch` send points to, as
    LAKEHOUSE_GRAPHITE__SERVER or [graphite]."""
    lateness_seconds: dict[str, Annotated[float, Field(ge=0, le=86_400)]] = Field(
        default_factory=dict
    )
    """By topic, the seconds by which an event may be older than the newest of its partition and
    still count in live windows and sessions; 30 where nothing is said."""
    filer: FilerSettings = Field(default_factory=FilerSettings)
    """Who files with FinCEN, as LAKEHOUSE_FILER__NAME or in [filer] of lakehouse.toml."""
    page: PageSettings = Field(default_factory=PageSettings)
    """How the page is reached and by whom, as LAKEHOUSE_PAGE__ORIGIN or in [page]."""

    @field_validator("root")
    @classmethod
    def _root_of_a_lake(cls, value: str) -> str:
        refuse_unprintable(value)
        scheme, url, rest = value.partition("://")
        if url:
            if scheme not in SCHEMES or not rest.strip("/"):
                raise ValueError(f"an address begins with one of {', '.join(SCHEMES)} and goes on")
            if scheme != "file":
                return value
            value = unquote(urlsplit(value).path)
        if value.strip("/") in ("", ".", ".."):
            raise ValueError("name a folder of its own, such as data/lake")
        folder = expanded(value)
        if folder.exists() and not folder.is_dir():
            raise ValueError("is a file; a lake is a folder")
        return value

    @field_validator("domains")
    @classmethod
    def _some_parts(cls, value: tuple[Domain, ...]) -> tuple[Domain, ...]:
        if not value:
            raise ValueError(f"name at least one of {', '.join(DOMAINS)}")
        return tuple(d for d in DOMAINS if d in value)

    @field_validator("expectations", "data_docs", "topics", "local_root", mode="before")
    @classmethod
    def _local_folder(cls, value: object) -> object:
        return value if value is None else local_folder(value)

    @field_validator("pii_key_file", "restricted_key_file", "sqlite", mode="before")
    @classmethod
    def _local_path(cls, value: object) -> object:
        return value if value is None else local_file(value)

    @field_validator("on_failure")
    @classmethod
    def _one_command(cls, value: str | None) -> str | None:
        if value is not None and not (value.strip() and value.isprintable()):
            raise ValueError("name a command in one line, or leave the setting out")
        return value

    @field_validator("alert_webhook", "dagster_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^\s/]+\S*", value):
            raise ValueError("write an address that begins with https:// or http://")
        return value

    @field_validator("postgres")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"postgres(ql)?://\S*", value):
            raise ValueError("write it as postgresql://user@host/name")
        return value

    @field_validator("start", mode="before")
    @classmethod
    def _written_as_a_day(cls, value: object) -> object:
        """A number would be read as seconds since 1970."""
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return value
        if type(value) is dt.date:
            return value
        raise ValueError("write a day as 2025-01-31")

    @field_validator("start")
    @classmethod
    def _in_our_time(cls, value: dt.date) -> dt.date:
        if not FIRST_START <= value <= LAST_START:
            raise ValueError(f"a day from {FIRST_START} to {LAST_START} is allowed")
        return value

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, value: str) -> str:
        from lakehouse.regulation.law import profiles

        if value not in profiles():
            raise ValueError(f"no such profile; known: {', '.join(profiles())}")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f"{value[:_SHOWN]!r} is no time zone; use a name such as America/Los_Angeles"
            ) from error
        return value

    @field_validator("sources")
    @classmethod
    def _known_tables(cls, value: dict[str, TableSource]) -> dict[str, TableSource]:
        from lakehouse.contracts import contract, contracts, door_of

        _refuse_unknown(value)
        simulated = [t for t, s in value.items() if s in _SIMULATED]
        landed = [t for t in simulated if not _is_simulated(door_of(t))]
        if landed:
            raise ValueError(f"the simulator has no table {landed[0]!r}; its source is landing")
        untold = [t for t, s in value.items() if s == "stream" and not contract(t).topic]
        if untold:
            told = ", ".join(n for n, c in contracts("source").items() if c.topic)
            raise ValueError(f"no topic has rows of {untold[0]!r}; of these one has: {told}")
        return value

    @field_validator("lateness_seconds")
    @classmethod
    def _known_topics(cls, value: dict[str, float]) -> dict[str, float]:
        from lakehouse.contracts import contracts

        topics = {c.topic for c in contracts("source").values() if c.topic}
        unknown = [t for t in value if t not in topics]
        if unknown:
            raise ValueError(f"no topic {unknown[0]!r}; topics: {', '.join(sorted(topics))}")
        return value

    @field_validator("orphans")
    @classmethod
    def _tables_with_parents(
        cls, value: dict[str, Orphans], info: ValidationInfo
    ) -> dict[str, Orphans]:
        from lakehouse.contracts import contract

        _refuse_unknown(value)
        alone = [t for t in value if not contract(t).references()]
        if alone:
            raise ValueError(f"rows of {alone[0]!r} name no other table's: they are no orphans")
        for table in (t for t, policy in value.items() if policy == "create_minimal"):
            if contract(table).is_restricted:
                raise ValueError(f"a profile made of {table!r} would tell everybody of a report")
            if "player_profile" not in {
                parent for parent, _ in contract(table).references().values()
            }:
                raise ValueError(f"rows of {table!r} name no patron to make a profile of")
            for needed in (table, "player_profile"):
                if info.data.get("sources", {}).get(needed, info.data.get("source")) == "simulator":
                    raise ValueError(
                        f"create_minimal is for rows that landed, and the source of {needed!r} is "
                        "the simulator"
                    )
        return value

    @field_validator("multiple_transaction_log_over")
    @classmethod
    def _dollars(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\d{1,12}(\.\d{1,2})?", value):
            raise ValueError("write dollars as 2500 or 2500.00")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - given by the library
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def has(self, table: str) -> bool:
        """Whether a table belongs to a part of the house that the lake has."""
        from lakehouse.contracts import contract

        domain = contract(table).domain
        return _is_on(domain, self.domains)

    def tables(self, layer: Layer) -> dict[str, Contract]:
        """The contracts of a layer of which the lake has tables."""
        from lakehouse.contracts import contracts

        return {n: c for n, c in contracts(layer).items() if _is_on(c.domain, self.domains)}

    def beside(self, kind: str) -> Path:
        """Where on this machine something that goes with the lake is: `<root>.<kind>`, of a lake
        in an object store `<local_root>.<kind>`."""
        named = Path(self.root).expanduser()
        if is_url(self.root):
            named = self.local_root or Path("data") / self.root.rstrip("/").rpartition("/")[2]
        return named.with_name(f"{named.name}.{kind}")

    def doors_of_files(self) -> list[str]:
        """Tables that files are landed in, of the parts of the house that the lake has."""
        from lakehouse.contracts import doors

        return [t for t in doors() if self.has(t) and self.takes_files(t)]

    def source_of(self, table: str) -> TableSource:
        """Where a table's rows come from. What the simulator has no producer of is landed."""
        from lakehouse.contracts import door_of

        door = door_of(table)
        asked = self.sources.get(door, self.source)
        return asked if asked not in _SIMULATED or _is_simulated(door) else "landing"

    def takes_files(self, table: str) -> bool:
        return self.source_of(table) in ("landing", "both")

    def simulates(self, table: str) -> bool:
        return self.source_of(table) in _SIMULATED

    def streamed(self) -> list[str]:
        """Tables whose rows come by topics, of the parts of the house that the lake has."""
        return [t for t in self.tables("source") if self.source_of(t) == "stream"]


def _is_on(domain: str, domains: Iterable[str]) -> bool:
    """Tables of operations are there in any lake."""
    part = "floor" if domain in _OF_THE_FLOOR else domain
    return part in domains or part not in DOMAINS


def _refuse_unknown(tables: Iterable[str]) -> None:
    from lakehouse.contracts import contracts

    unknown = [t for t in tables if t not in contracts("source")]
    if unknown:
        known = ", ".join(sorted(contracts("source")))
        raise ValueError(f"no source table {unknown[0]!r}; tables: {known}")


def _is_simulated(door: str) -> bool:
    from lakehouse.simulate.kernel.producers import producers

    return door in producers()


def load_settings(**overrides: object) -> Settings:
    """Settings with `overrides` on top. Raises BadInput naming the setting that is wrong, its
    value, and what is allowed."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(p) for p in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise BadInput(f"setting {name!r}: {said}{_got(name, first['input'])}") from error
    except SettingsError as error:
        name = str(error).partition('"')[2].partition('"')[0]
        name, given = _undecoded(name)
        raise BadInput(
            f"setting {name!r}: write it as JSON, names and values in {{}} or values in []"
            f"{_got(name, given)}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"lakehouse.toml cannot be read: {error}") from error


def _undecoded(name: str) -> tuple[str, str]:
    """Which part of a setting is no JSON, and what it says; the library names the whole."""
    for part, field in getattr(Settings.model_fields[name].annotation, "model_fields", {}).items():
        said = os.environ.get(f"LAKEHOUSE_{name.upper()}__{part.upper()}")
        if said is not None and get_origin(field.annotation) in (dict, tuple):
            try:
                json.loads(said)
            except ValueError:
                return f"{name}.{part}", said
    return name, os.environ.get(f"LAKEHOUSE_{name.upper()}", "")


def _got(name: str, value: object) -> str:
    """Storage options and addresses may hold credentials: of them nothing is told."""
    return "" if name.startswith(_TELL_NOTHING) else f" (got {repr(value)[:_SHOWN]})"

"""Every setting and every argument, given what it cannot be: one line that names it, status 2."""

import itertools
from pathlib import Path

import pytest
import typer

from lakehouse import cli
from lakehouse.compliance.filing.filer import FilerSettings
from lakehouse.serve.monitor.thresholds import MonitorSettings
from lakehouse.serve.publish.graphite.options import GraphiteSettings
from lakehouse.serve.signin.wanted import PageSettings
from lakehouse.settings import Settings

LONG = "x" * 300
SETTINGS: dict[str, list[str]] = {
    "root": ["", " ", "/", ".", "a\nb", "~nobody-at-all/x", LONG, "s3://", "http://x/y", "a-file"],
    "domains": ["", "floor", "[]", "{", '{"floor": 1}'],
    "session_silence_minutes": ["", "nope", "0", "-1", "nan"],
    "high_frequency_seconds": ["", "nope", "0", "-1", "nan", "inf"],
    "kafka": ["", "nope", "[]", "{", '{"a": {}}', "1"],
    "topics": ["", " ", "a\nb", "~nobody-at-all/x", LONG, "s3://b/topics", "a-file"],
    "topic_days": ["", "nope", "0", "-1", "nan", "36501"],
    "version_minutes": ["", "nope", "0", "-1", "4.9", "nan", "inf", "52560001"],
    "reading_hours": ["", "nope", "0", "-1", "1.5", "nan", "inf", "876001"],
    "topic_partitions": ["", "nope", "0", "-1", "1.5", "1025"],
    "local_root": ["", " ", "a\nb", "~nobody-at-all/x", LONG, "s3://b/x", "a-file"],
    "storage_options": ["", "nope", "[]", "{", '{"a": {}}', "1"],
    "seed": ["", "nope", "-1", "1.5", "nan", "9" * 40, "2025-01-01"],
    "scale": ["", "nope", "0", "-1", "nan", "inf", "1e400", "9" * 40],
    "start": ["", "nope", "0", "1735689600", "2025-13-01", "2025-1-1", "0001-01-01", "9999-12-31"],
    "profile": ["", "nope", "games", "../us-federal", "US-FEDERAL", LONG],
    "timezone": ["", "nope", "America", "../UTC", "/etc/localtime", LONG, "a\nb"],
    "pii_key_file": ["", " ", "a\nb", "~nobody-at-all/x", LONG, "s3://b/key", "a-folder"],
    "restricted_key_file": ["", " ", "a\nb", "~nobody-at-all/x", LONG, "s3://b/key", "a-folder"],
    "faults": ["", "nope", "2", "-1"],
    "source": ["", "nope", "Landing", "simulator,landing"],
    "sources": ["", "nope", "[]", '{"nope": "landing"}', '{"slot_telemetry": "nope"}', "{"],
    "orphans": ["", "nope", "[]", '{"nope": "keep"}', '{"slot_telemetry": "nope"}', "{"],
    "carded_bill_in_knowledge": ["", "nope", "2"],
    "multiple_transaction_log_over": ["", "nope", "-1", "nan", "1e400", "2.505", "9" * 40, "$5"],
    "on_failure": ["", "a\nb"],
    "alert_webhook": ["", "ftp://example.com"],
    "mail": ["", "nope", "[]", "{", '{"server": "h", "sender": "me", "to": ["a@b.c"]}'],
    "monitor": ["", "nope", "[]", '{"nope": 1}', "{"],
    "monitor__thresholds": ["", "[]", '{"nope": {}}', '{"cpu": {"nope": 1}}', '{"cpu": 80}'],
    "monitor__looks": ["", "nope", "0", "101", "1.5"],
    "monitor__seconds": ["", "nope", "0", "nan", "inf"],
    "monitor__storage_gigabytes": ["", "nope", "0", "-1", "inf"],
    "monitor__question": ["", "nope"],
    "rejected_share": ["", "nope", "-0.1", "1.1", "nan"],
    "wait_seconds": ["", "nope", "-1", "nan", "inf"],
    "sql_seconds": ["", "nope", "0", "-1", "nan", "inf", "1e400"],
    "sql_memory": ["", "nope", "0", "-0.1", "1.1", "nan"],
    "expectations": ["", " ", "a\nb", "~nobody-at-all/x", LONG, "s3://b/suites", "a-file"],
    "data_docs": ["", " ", "a\nb", "~nobody-at-all/x", LONG, "s3://b/docs", "a-file"],
    "postgres": ["", "nope", "mysql://host/name", "postgresql://a b"],
    "snowflake": ["", "nope", "[]", "{", '{"a": {}}', "1"],
    "sqlite": ["", " ", "a\nb", "~nobody-at-all/x", LONG, "s3://b/gold.sqlite", "a-folder"],
    "dagster_url": ["", "nope", "ftp://example.com", "http://"],
    "graphite": ["", "nope", "[]", '{"nope": 1}', "{"],
    "graphite__server": ["", "a b", "h:0", "h:65536", "http://h"],
    "graphite__protocol": ["", "udp"],
    "graphite__prefix": ["", ".", "a..b", "a b", "a."],
    "graphite__spool": ["", " ", "a\nb", "~nobody-at-all/x", LONG, "s3://b/spool", "a-file"],
    "lateness_seconds": ["", "[]", '{"clickstream": -1}', '{"clickstream": 1e9}', '{"nope": 1}'],
    "filer": ["", "nope", "[]", '{"nope": 1}', "{"],
    "filer__name": ["", " ", "a\nb", "x" * 151],
    "filer__tin": ["", "nope", "12345678", "1234567890"],
    "filer__transmitter_control_code": ["", "nope", "TBSATEST1"],
    "filer__street": ["", " ", "a\nb", "x" * 101],
    "filer__city": ["", " ", "a\x1bb", "x" * 51],
    "filer__state": ["", "nope", "nv"],
    "filer__zip_code": ["", "nope", "1234"],
    "filer__phone": ["", "nope", "123"],
    "filer__contact_office": ["", " ", "x" * 151],
    "filer__transmitter_contact": ["", " ", "x" * 151],
    "filer__organization": ["", "nope"],
    "filer__schemas": ["", "nope", "a-file", LONG],
    "page": ["", "nope", "[]", '{"nope": 1}', "{"],
    "page__origin": ["", "nope", "http://lake.example", "https://lake.example/x", "https://a b"],
    "page__tls_certificate": ["", "nope", "a-folder", LONG],
    "page__tls_key": ["", "nope", "a-folder", "a-file", LONG],
    "page__proxies": ["", "nope", '["nope"]', '["10.0.0.1/8"]', '["::1"]', "{"],
    "page__idle_minutes": ["", "nope", "0", "-1", "nan", "inf", "1441"],
    "page__hours": ["", "nope", "0", "-1", "nan", "inf", "169"],
    "page__roles": ["", "nope", "a-folder", LONG],
    "page__user_header": ["", "no pe", "a\nb", "Cookie", "X-User"],
    "page__groups_header": ["", "no pe", "a\nb", "Host", "X-Groups"],
    "page__groups": ["", "nope", "[]", '{"a": "analyst"}', "{"],
}
TOML = {
    "a NUL": 'root = "a\\u0000b"',
    "a number for a path": "root = 1",
    "a time for a day": "start = 2025-01-01T00:00:00",
    "a number for a day": "start = 20250101",
    "an unknown name": "sead = 1",
    "a negative scale": "scale = -2",
    "infinity": "scale = inf",
    "an unknown table": '[sources]\nnope = "landing"',
    "a secret of the wrong type": "[storage_options]\nAWS_SECRET_ACCESS_KEY = 7717",
    "no TOML": "scale = ",
}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    Path("a-file").write_text("x")
    Path("a-folder").mkdir()
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a command that ends with status 2, and that touched nothing."""
    there = sorted(Path().rglob("*"))
    assert cli.run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("lakehouse: ")
    assert said.err.count("\n") == 1
    assert said.err.strip().isprintable()
    assert "unexpected" not in said.err
    assert len(said.err) < 900
    assert sorted(Path().rglob("*")) == there
    return said.err


def test_the_table_names_every_setting() -> None:
    filer = {f"filer__{n}" for n in FilerSettings.model_fields}
    monitor = {f"monitor__{n}" for n in MonitorSettings.model_fields}
    page = {f"page__{n}" for n in PageSettings.model_fields}
    graphite = {f"graphite__{n}" for n in GraphiteSettings.model_fields}
    assert {*SETTINGS} == {*Settings.model_fields, *filer, *monitor, *page, *graphite}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"), [(name, v) for name, values in SETTINGS.items() for v in values]
)
def test_a_variable_that_cannot_be_is_told_before_any_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"LAKEHOUSE_{name.upper()}", value)
    err = refused(capsys, "init")
    assert f"setting '{name.replace('__', '.')}" in err
    if (
        name not in ("storage_options", "alert_webhook", "mail", "kafka", "postgres", "snowflake")
        and len(value) < 100
        and not value.startswith("{")
    ):
        assert f"(got {value!r})" in err or "(got [" in err or value in ("1",)


@pytest.mark.slow
@pytest.mark.parametrize("text", TOML.values(), ids=TOML)
def test_a_file_of_settings_that_cannot_be_is_told_before_any_work(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    Path("lakehouse.toml").write_text(text + "\n")
    err = refused(capsys, "init")
    assert "setting " in err or "lakehouse.toml" in err
    assert "7717" not in err


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00"])
def test_a_file_of_settings_that_is_no_text_is_told(
    capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    Path("lakehouse.toml").write_bytes(content)
    assert "lakehouse.toml cannot be read" in refused(capsys, "init")


def parameters() -> list[tuple[str, str, bool]]:
    """Command, and each of its options that takes a value, or its argument."""
    found = []

    def look(command: object, path: tuple[str, ...]) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            look(inner, (*path, name))
        if not hasattr(command, "commands"):
            for p in command.params:  # type: ignore[attr-defined]
                if p.param_type_name == "argument":
                    found.append((" ".join(path), "", True))
                elif not getattr(p, "is_flag", False) and p.name != "help":
                    found.append((" ".join(path), max(p.opts, key=len), False))

    look(typer.main.get_command(cli.build()), ())
    return found


ARGUMENTS = parameters()
UNUSABLE = {"": "a value is needed", " \t": "a value is needed", "\udcff": "UTF-8", "a\0b": "NUL"}


def test_all_commands_are_looked_at() -> None:
    assert len(ARGUMENTS) > 80
    assert ("maintain", "--retention-days", False) in ARGUMENTS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "option", "is_argument", "value"),
    [(*p, v) for p, v in itertools.product(ARGUMENTS, UNUSABLE)],
)
def test_no_argument_of_any_command_is_blank_or_no_text(
    capsys: pytest.CaptureFixture[str], command: str, option: str, is_argument: bool, value: str
) -> None:
    err = refused(capsys, *command.split(), *([] if is_argument else [option]), value)
    assert UNUSABLE[value] in err
    assert repr(value) in err
    assert is_argument or option in err


DAYS = ("nope", "2025-13-01", "20250101T", "0", "-1", "9" * 40)
TYPED = [
    *((("run", "--from", d), "--from") for d in DAYS),
    *((("run", "--from", "2025-01-01", "--to", d), "--to") for d in DAYS),
    *((("quarantine", "list", "--from", d), "--from") for d in DAYS),
    *((("quarantine", "show", "financial_txn", "--to", d), "--to") for d in DAYS),
    *((("checks", "--from", d), "--from") for d in DAYS),
    *((("catalog", "build", "--from", d, "--to", "2025-01-01"), "--from") for d in DAYS),
    *((("report", d), "DAY") for d in DAYS if not d.startswith("-")),
    *((("sql", "SELECT 1", "--as-of", d), "--as-of") for d in ("nope", "2025-13-01", "9" * 40)),
    *((("maintain", "--retention-days", n), "retention-days") for n in ("nan", "inf", "9" * 40)),
    *((("maintain", "--retention-days", n), "retention-days") for n in ("nope", "-1", "1e400")),
    (("maintain", "--i-mean", "nope"), "--i-mean"),
    (("maintain", "nope"), "nope"),
    (("maintain", "silver.nope"), "nope"),
    (("tables", "nope"), "nope"),
    (("describe", "nope"), "nope"),
    (("describe", "gold.nope"), "nope"),
    (("quarantine", "list", "--table", "nope"), "nope"),
    (("quarantine", "show", "financial_txn", "--limit", "0"), "--limit"),
    (("quarantine", "show", "financial_txn", "--purpose", "looking"), "--purpose goes with"),
    (("quarantine", "retry", "financial_txn", "--mapping", LONG), "mapping"),
    (("land", LONG, "--table", "financial_txn"), "is no file"),
    (("land", "a-folder", "--table", "financial_txn"), "is no file"),
    (("land", LONG, "--infer"), "cannot be opened"),
    (("checks", "--truth", "nope"), "nope"),
    (("cases", "list", "--state", "nope"), "nope"),
    (("cases", "calendar", "--as-of", "nope"), "--as-of"),
    (("init", "--source", "nope"), "source"),
    (("sql", "--file", LONG), "cannot read the query"),
    (("sql", "--saved", "nope"), "nope"),
    (("sql", "SELECT 1", "--param", "nope"), "--param"),
    (("sql", "SELECT 1", "--limit", "-1"), "--limit"),
    (("--set", "nope=1", "tables"), "nope"),
    (("--set", "scale=-1", "tables"), "scale"),
    (("--root", "/", "tables"), "root"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "told"), TYPED, ids=[" ".join(a)[:60] for a, _ in TYPED])
def test_a_value_of_the_wrong_kind_is_told(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", "lake")
    if arguments[0] in ("land", "quarantine"):
        monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    assert told in refused(capsys, *arguments)


def test_what_the_system_refuses_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "a-file")
    monkeypatch.setenv("LAKEHOUSE_ROOT", "lake")
    assert cli.run(["init"]) == 1
    err = capsys.readouterr().err.splitlines()[-1] + "\n"
    assert err.startswith("lakehouse: ")
    assert "a-file: File exists" in err
    assert err.count("\n") == 1

"""The databases that tables can be published to, and where each is."""

from __future__ import annotations

from lakehouse.errors import BadInput
from lakehouse.serve.publish.target import Target
from lakehouse.settings import Settings

TARGETS = {
    "postgres": "name the database in LAKEHOUSE_POSTGRES, as postgresql://user:password@host/name",
    "snowflake": "name account, user, database and key in LAKEHOUSE_SNOWFLAKE, as JSON or as "
    "LAKEHOUSE_SNOWFLAKE__ACCOUNT and so on, or in [snowflake] of lakehouse.toml",
    "sqlite": "name a file, such as gold.sqlite, or set LAKEHOUSE_SQLITE",
}
"""Settings that tell where a database is, and what to do where they do not."""


def configured(settings: Settings) -> list[str]:
    """Names of the databases that the settings tell the place of."""
    return [name for name in TARGETS if getattr(settings, name)]


def refuse_nowhere(settings: Settings, name: str) -> None:
    """Raises BadInput where the settings do not tell where a database is."""
    if name not in configured(settings):
        raise BadInput(TARGETS[name])


def connected(settings: Settings, name: str, prefix: str = "") -> Target:
    """A database that the settings tell the place of. Raises BadInput where its driver is not
    installed, StorageError where it cannot be reached."""
    refuse_nowhere(settings, name)
    if name == "postgres":
        from lakehouse.serve.publish.postgres import Postgres

        return Postgres(str(settings.postgres), prefix=prefix)
    if name == "snowflake":
        from lakehouse.serve.publish.snowflake import Snowflake

        return Snowflake(settings.snowflake, prefix=prefix)
    from lakehouse.serve.publish.sqlite import SQLite

    assert settings.sqlite
    return SQLite(settings.sqlite)

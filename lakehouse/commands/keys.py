"""`lakehouse keys`: the key that tokens of personal data hang on."""

from __future__ import annotations

import typer

from lakehouse.errors import BadInput

_HELP = {"help_option_names": ["-h", "--help"]}


def register(app: typer.Typer) -> None:
    keys = typer.Typer(
        help="Make, name and rotate the key of personal data.",
        no_args_is_help=True,
        context_settings=_HELP,
    )
    keys.command("init")(init)
    keys.command("show-id")(show_id)
    keys.command("rotate")(rotate)
    app.add_typer(keys, name="keys")


def init() -> None:
    """Make the key file: 256 random bits, mode 0600, outside the lake."""
    from lakehouse.privacy.keys import create_key, key_path
    from lakehouse.settings import load_settings

    settings = load_settings()
    path = key_path(settings)
    key = create_key(path, root=settings.root)
    typer.echo(f"made key {key.key_id} in {path}; keep a copy where no lake is", err=True)
    typer.echo(key.key_id)


def show_id() -> None:
    """Print the id of the key in force; tokens begin with it."""
    from lakehouse.privacy.keys import load_key
    from lakehouse.settings import load_settings

    typer.echo(load_key(load_settings()).key_id)


def rotate(
    yes: bool = typer.Option(
        False, "--yes", help="Do it: tokens of old and new days differ until days are re-run."
    ),
) -> None:
    """Put a new key in place; the old one stays beside it under its id."""
    from lakehouse.privacy.keys import key_path, rotate_key
    from lakehouse.settings import load_settings

    if not yes:
        raise BadInput(
            "keys rotate: equal identities get unequal tokens until every day is cleaned again; "
            "say --yes"
        )
    settings = load_settings()
    path = key_path(settings)
    old, new = rotate_key(path, root=settings.root)
    typer.echo(
        f"key {new.key_id} replaces {old.key_id}, kept as {path.name}.{old.key_id}; re-run the "
        f"silver of all days, then destroy the old one",
        err=True,
    )
    typer.echo(new.key_id)

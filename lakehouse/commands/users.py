"""`lakehouse users`: who signs in to the page, with which roles, and what happened at its door."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands.printing import lines
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.serve.signin.journal import SignInLog, What
    from lakehouse.serve.signin.users import Users

_HELP = {"help_option_names": ["-h", "--help"]}
Name = Annotated[str, typer.Argument(metavar="NAME")]
Role = Annotated[list[str], typer.Option("--role", help="A role; several add up.")]
Some = Annotated[list[str] | None, typer.Option("--role", help="A role; several add up.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Who signs in to the page, and with which roles.",
        no_args_is_help=True,
        context_settings=_HELP,
    )
    group.command("add")(add)
    group.command("list")(list_)
    group.command("remove")(remove)
    group.command("password")(password)
    group.command("roles")(roles)
    group.command("sign-out")(sign_out)
    group.command("log")(log)
    app.add_typer(group, name="users")


def add(name: Name, role: Role) -> None:
    """Make a user. The password is asked for, or read as one line from standard input."""
    from lakehouse.commands.caller import now

    held = _known(role)
    users, told = _opened()
    users.add(name, held, _asked(f"Password of {name}"), f"{now():%Y-%m-%dT%H:%M:%SZ}")
    _write(told, "user added", f"{name}: {', '.join(held)}")


def list_() -> None:
    """Users, their roles and since when."""
    users, _ = _opened()
    found = users.all()
    if not found:
        typer.echo("no users: the page is for this machine alone", err=True)
        return
    told = ((u.name, u.roles, u.made, "demo" if u.is_demo else "") for u in found)
    lines(("user", "roles", "made", ""), told)


def remove(name: Name) -> None:
    """Remove a user, and end the user's sessions, at once for a server that runs."""
    users, told = _opened()
    users.remove(name)
    _write(told, "user removed", name)


def password(name: Name) -> None:
    """Give a user a new password, asked for or read from standard input; ends the sessions."""
    users, told = _opened()
    users.require(name)
    users.set_password(name, _asked(f"New password of {name}"))
    _write(told, "password changed", name)


def roles(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None, role: Some = None
) -> None:
    """What each role opens; with a user and --role, give the user these roles and no others."""
    if name is None:
        if role:
            raise BadInput("--role goes with the name of a user")
        _show_roles()
        return
    if not role:
        raise BadInput(f"users roles {name}: name the roles, as --role analyst")
    held = _known(role)
    users, told = _opened()
    users.set_roles(name, held)
    _write(told, "roles changed", f"{name}: {', '.join(held)}")


def sign_out(name: Name) -> None:
    """End all sessions of a user, at once for a server that runs."""
    users, told = _opened()
    users.sign_out(name)
    _write(told, "sessions ended", name)


def log(
    last: Annotated[int, typer.Option("--last", help="How many entries, of the newest.")] = 50,
) -> None:
    """What happened at the door: who, when, from where, and what."""
    if not 1 <= last <= 1_000_000:
        raise BadInput(f"--last {last}: 1 to 1000000 are allowed")
    _, told = _opened()
    for entry in told.read(last):
        about = f"  {entry.about}" if entry.about else ""
        typer.echo(f"{entry.at}  {entry.who:<12} {entry.where:<16} {entry.what}{about}")


def _show_roles() -> None:
    from lakehouse.serve.signin.doorman import roles_of
    from lakehouse.settings import load_settings

    roles = roles_of(load_settings().page).values()
    told = ((r.name, r.about, sorted(r.pages), sorted(r.grants)) for r in roles)
    lines(("role", "for whom", "pages", "may also"), told)


def _opened() -> tuple[Users, SignInLog]:
    from lakehouse.commands.caller import now
    from lakehouse.commands.serve import place_of
    from lakehouse.serve.signin.journal import SignInLog
    from lakehouse.serve.signin.users import Users
    from lakehouse.settings import load_settings

    place = place_of(load_settings())
    return Users(place), SignInLog(place, now)


def _known(asked: list[str]) -> list[str]:
    from lakehouse.serve.signin.doorman import roles_of
    from lakehouse.settings import load_settings

    known = roles_of(load_settings().page)
    unknown = [r for r in asked if r not in known]
    if unknown:
        raise BadInput(f"--role {unknown[0]!r}: roles are {', '.join(known)}")
    return sorted(set(asked))


def _asked(what: str) -> str:
    """A password, never out of an argument, which others on the machine could read."""
    if sys.stdin.isatty():
        asked: str = typer.prompt(what, hide_input=True, confirmation_prompt="The same again")
        return asked
    return sys.stdin.readline().rstrip("\r\n")


def _write(told: SignInLog, what: What, about: str) -> None:
    from lakehouse.commands.caller import user

    told.write(user(), "command line", what, about)

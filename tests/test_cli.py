"""The command line: quick to start, one line for an error, settings from options."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from lakehouse import cli
from lakehouse.errors import BadInput, LakehouseError
from tests.small_lake import fill


def lakehouse(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lakehouse", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


HEAVY = ("polars", "duckdb", "deltalake", "dagster", "dataframely", "pydantic", "pyarrow", "numpy")


def test_the_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from lakehouse import cli; status = cli.run(['--help']); "
        f"print([m for m in {HEAVY!r} if m in sys.modules], status, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[] 0\n"


@pytest.mark.slow
def test_help_names_every_command() -> None:
    commands = typer.main.get_command(cli.build()).commands  # type: ignore[attr-defined]
    said = lakehouse("--help", COLUMNS="100").stdout
    assert [name for name in commands if f" {name} " not in said] == []
    assert all(command.help for command in commands.values())


def test_every_command_stands_in_a_panel_and_nothing_else_does() -> None:
    placed = [name for names in cli.PANELS.values() for name in names]
    commands = typer.main.get_command(cli.build()).commands  # type: ignore[attr-defined]
    assert sorted(placed) == sorted(commands)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "No such command 'nope'."),
        (["sql", "--nope"], "No such option: --nope"),
        (["describe"], "Missing argument"),
        (["describe", "gold.player_vlaue"], "nearest: gold.player_value"),
        (["tables", "brass"], "unknown layer 'brass'; known: bronze, silver"),
        (["--set", "scale", "tables"], "--set 'scale': write NAME=VALUE with a name of root"),
        (["--set", "sclae=2", "tables"], "--set 'sclae=2': write NAME=VALUE with a name of root"),
        (["--set", "scale=-2", "tables"], "setting 'scale': Input should be greater than 0"),
        (["--set", "timezone=Mars", "tables"], "'Mars' is no time zone"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert cli.run(arguments) == 2
    done = capsys.readouterr()
    assert done.out == ""
    assert said in done.err
    assert done.err.startswith("lakehouse: ")
    assert done.err.count("\n") == 1


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = {
        "bad": BadInput("no such thing"),
        "failed": LakehouseError("it broke\nin two lines"),
        "stop": KeyboardInterrupt(),
    }

    def build() -> typer.Typer:
        app = typer.Typer()
        app.callback()(cli.start)

        @app.command()
        def fail(kind: str) -> None:
            raise errors[kind]

        return app

    monkeypatch.setattr(cli, "command", lambda: typer.main.get_group(build()))


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        ("bad", 2, "lakehouse: no such thing\n"),
        ("failed", 1, "lakehouse: it broke in two lines\n"),
        ("stop", 130, "lakehouse: interrupted\n"),
    ],
)
def test_errors_become_a_line_and_a_status(
    failing: None, capsys: pytest.CaptureFixture[str], kind: str, status: int, said: str
) -> None:
    assert cli.run(["fail", kind]) == status
    assert capsys.readouterr().err == said


def test_debug_shows_the_traceback(failing: None) -> None:
    with pytest.raises(LakehouseError, match="it broke"):
        cli.run(["--debug", "fail", "failed"])


def test_an_unexpected_error_is_one_line_too() -> None:
    code = "from lakehouse import cli; cli.run = lambda _: 1 / 0; cli.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr == "lakehouse: unexpected ZeroDivisionError: division by zero (see --debug)\n"
    )


def test_what_a_command_declares_is_not_looked_through_again_and_again() -> None:
    code = (
        "from lakehouse import cli; import gc; "
        "cli.run = lambda _: print(gc.get_threshold()[0]) or 0; cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) >= 10_000


def test_version() -> None:
    done = lakehouse("--version")
    assert (done.returncode, done.stdout) == (0, "lakehouse 0.1.0\n")


def test_without_a_command_the_help_is_shown() -> None:
    done = lakehouse()
    assert done.returncode == 0
    assert "Usage: lakehouse [OPTIONS] COMMAND" in done.stdout


def test_options_come_before_variables_and_leave_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lakehouse.storage import Lake

    fill(Lake(str(tmp_path / "option")))
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "variable"))
    assert cli.run(["--root", str(tmp_path / "option"), "tables", "gold"]) == 0
    assert (
        "gold.player_day   2025-01-01   2025-01-03      3      4   yes" in capsys.readouterr().out
    )
    assert os.environ["LAKEHOUSE_ROOT"] == str(tmp_path / "variable")


def test_tables_tell_no_count_of_restricted_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from lakehouse.storage import Lake

    root = str(tmp_path / "lake")
    fill(Lake(root))
    assert cli.run(["--root", root, "tables", "silver"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    cells = {line[0]: line for line in lines}
    assert cells["silver.staff_observations"][1:] == ["one", "row", "per", "observation"]
    assert cells["silver.sar_filings"][1:3] == ["one", "row"]
    assert cells["silver.compliance"][1:6] == ["2025-01-01", "2025-01-01", "1", "2", "yes"]
    assert cells["silver.player_profile"][1] == "1"


def test_describe_says_what_a_table_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["describe", "gold.player_value"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "key player_id, gaming_day" in said
    assert "made from gold.player_day, silver.player_profile" in said
    assert "protected_receive_nothing" in said
    assert "adt decimal(18,2) null USD Average daily theo: theo_365 / play_days_365" in said


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("silver.compliance", "in sql yes"),
        ("silver.sar_filings", "in sql with --restricted"),
        ("bronze.sar_filings", "in sql no"),
        ("silver.staff_observations", "in sql with --restricted"),
        ("bronze.player_profile", "in sql no"),
        ("player_profile", "first_name text quasi"),
        ("silver.player_profile", "first_name text direct, token"),
    ],
)
def test_describe_says_who_may_see_it(
    capsys: pytest.CaptureFixture[str], table: str, said: str
) -> None:
    assert cli.run(["describe", table]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert (said in out) is (said != "first_name text quasi")


@pytest.mark.slow
def test_a_closed_pipe_ends_quietly() -> None:
    done = subprocess.run(
        f"{sys.executable} -m lakehouse sql 'SELECT * FROM range(60000)' --format csv | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("range\n", "")

"""Where a command may write: a regular file or a new one, whichever command it is."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from lakehouse.cli import run
from lakehouse.errors import BadInput
from lakehouse.generators import SecurityGenerator
from lakehouse.outputs import replacing
from lakehouse.storage import Lake
from tests.small_lake import fill

DAYS = ("--from", "2025-01-01", "--to", "2025-01-03")
COMMANDS = {
    "sql": ("sql", "SELECT 1 AS one", "--format", "csv", "--out"),
    "report": ("report", "2025-01-01", "--out"),
    "catalog": ("catalog", "build", "--out"),
    "filings": ("filings", "export", "--type", "ctr", *DAYS, "--out"),
}
NOT_UTF8 = os.fsdecode(b"caf\xe9.csv")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _link(path: Path) -> None:
    path.with_name("precious").write_text("mine")
    path.symlink_to("precious")


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


IN_THE_WAY: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (_pipe, "is a device, pipe or socket"),
    "socket": (_socket, "is a device, pipe or socket"),
    "link": (_link, "is a symbolic link"),
    "dangling link": (_dangling, "is a symbolic link"),
    "folder": (Path.mkdir, "is a folder"),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that the commands here only read."""
    lake = Lake(str(tmp_path_factory.mktemp("filled") / "lake"))
    fill(lake)
    return lake


@pytest.fixture
def here(filled: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAKEHOUSE_ROOT", filled.root)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(("put", "says"), IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_what_is_no_regular_file_stays_what_it_is(
    here: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], put, says: str
) -> None:
    put(here / "out")
    before = (here / "out").lstat()
    assert run([*command, "out"]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    after = (here / "out").lstat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert not (here / "precious").exists() or (here / "precious").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pipe", "link"])
def test_a_generated_file_replaces_no_pipe_and_no_link(here: Path, capsys, name: str) -> None:
    (here / "made").mkdir()
    put, says = IN_THE_WAY[name]
    put(here / "made" / "bronze_security_events.csv")
    assert run(["generate", "--security", "9", "-d", "1", "-f", "csv", "-o", "made"]) == 2
    assert says in capsys.readouterr().err
    generator = SecurityGenerator()
    with pytest.raises(BadInput, match=says):
        generator.to_parquet(generator.generate(3), here / "made" / "bronze_security_events.csv")


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_name_that_is_not_utf8_is_one_line(here: Path, capsys, command: tuple[str, ...]) -> None:
    assert run([*command, NOT_UTF8]) == 2
    assert "UTF-8 text without NUL is allowed" in capsys.readouterr().err
    assert run([*command, "a\0b"]) == 2


def test_a_folder_whose_name_is_not_utf8_is_one_line(here: Path, capsys) -> None:
    assert run(["generate", "--slots", "9", "-d", "1", "-o", NOT_UTF8]) == 2
    assert "UTF-8 text without NUL is allowed" in capsys.readouterr().err
    assert not (here / NOT_UTF8).exists()


def test_a_name_that_is_not_utf8_can_be_complained_about(capsys) -> None:
    """Of an input, whose name is whatever it is."""
    assert run(["sql", "--file", NOT_UTF8]) == 2
    assert "\\udce9" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("command", ["sql", "catalog"])
def test_a_regular_file_and_a_new_one_are_written(here: Path, command: str) -> None:
    for out in ("new", "deep/new", "new"):
        assert run([*COMMANDS[command], out]) == 0
        assert (here / out).stat().st_size > 0
    assert [p.name for p in here.iterdir() if p.name.startswith(".")] == []


def test_what_is_private_is_never_readable_by_others(tmp_path: Path) -> None:
    with replacing(tmp_path / "secret", private=True) as part:
        part.write_text("secret")
        assert stat.S_IMODE(part.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_nobody_can_guess_where_a_part_is_written(tmp_path: Path) -> None:
    """Else a link put there would be written through."""
    parts = set()
    for _ in range(2):
        with replacing(tmp_path / "out") as part:
            parts.add(part)
            part.write_text("x")
    assert len(parts) == 2


def test_a_failure_keeps_the_old_file_and_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")

    def half() -> None:
        with replacing(tmp_path / "out") as part:
            part.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_text() == "old"

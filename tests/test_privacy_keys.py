"""The key file: its owner's alone, outside the lake, never shown, never overwritten."""

import os
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.errors import BadInput
from lakehouse.privacy import TokenKey, create_key, ensure_key, key_path, load_key, rotate_key
from lakehouse.settings import Settings

SECRET = bytes(range(32))


def key_file(folder: Path, content: bytes = SECRET, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    "content", [SECRET, SECRET.hex().encode(), SECRET.hex().upper().encode() + b"\n"]
)
def test_a_key_is_32_bytes_or_64_hex_digits(tmp_path, content):
    assert TokenKey.load(key_file(tmp_path, content)).secret == SECRET


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o700, 0o604, 0o666])
def test_a_key_that_others_may_use_is_refused(tmp_path, mode):
    with pytest.raises(BadInput, match=rf"has mode {mode:04o}, allowed is 0600"):
        TokenKey.load(key_file(tmp_path, mode=mode))


@pytest.mark.parametrize(
    "content", [b"", b"short", SECRET[:31], SECRET + b"\n", b"zz" * 32, b"00" * 31]
)
def test_a_file_that_holds_no_key_is_refused(tmp_path, content):
    with pytest.raises(BadInput, match="32 raw bytes or 64 hex digits"):
        TokenKey.load(key_file(tmp_path, content))


def test_a_missing_key_says_how_to_make_one(tmp_path):
    with pytest.raises(BadInput, match=r"nowhere does not exist; .*lakehouse keys init"):
        TokenKey.load(tmp_path / "nowhere")


def test_a_folder_is_no_key(tmp_path):
    with pytest.raises(BadInput, match="is no file"):
        TokenKey.load(tmp_path)


@pytest.mark.parametrize("inside", ["lake/key", "lake/deep/key", "lake/../lake/key"])
def test_a_key_inside_the_lake_is_refused(tmp_path, inside):
    root = str(tmp_path / "lake")
    for attempt in (TokenKey.load, create_key):
        with pytest.raises(BadInput, match="inside the lake"):
            attempt(tmp_path / inside, root=root)


def test_a_link_into_the_lake_is_refused(tmp_path):
    (tmp_path / "lake").mkdir()
    key_file(tmp_path / "lake")
    (tmp_path / "link").symlink_to(tmp_path / "lake" / "key")
    with pytest.raises(BadInput, match="inside the lake"):
        TokenKey.load(tmp_path / "link", root=str(tmp_path / "lake"))


def test_the_secret_is_in_no_text(tmp_path):
    key = TokenKey.load(key_file(tmp_path))
    for text in (repr(key), str(key), f"{[key]}", f"{key!r}"):
        assert text.strip("[]") == "TokenKey(key_id='d78a4a48')"
    with pytest.raises(BadInput) as caught:
        TokenKey.load(key_file(tmp_path, b"topsecret"))
    assert "topsecret" not in str(caught.value)


def test_a_new_key_is_random_and_private(tmp_path):
    made = [create_key(tmp_path / name) for name in ("a", "b")]
    assert made[0].secret != made[1].secret
    assert made[0].key_id != made[1].key_id
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert TokenKey.load(tmp_path / "a").secret == made[0].secret


def test_a_key_is_never_overwritten(tmp_path):
    path = key_file(tmp_path)
    with pytest.raises(BadInput, match="exists already"):
        create_key(path)
    assert path.read_bytes() == SECRET


def test_rotation_keeps_the_old_key_beside_the_new(tmp_path):
    path = key_file(tmp_path)
    old, new = rotate_key(path)
    assert (old.key_id, old.secret) == ("d78a4a48", SECRET)
    assert TokenKey.load(path).secret == new.secret != SECRET
    assert TokenKey.load(tmp_path / "key.d78a4a48").secret == SECRET
    assert sorted(p.name for p in tmp_path.iterdir()) == ["key", "key.d78a4a48"]


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"root": "/srv/data/lake"}, "/srv/data/lake.keys/pii-key"),
        ({"root": "/srv/data/lake/"}, "/srv/data/lake.keys/pii-key"),
        ({"root": "s3://bucket/lake", "pii_key_file": "/etc/key"}, "/etc/key"),
        ({"root": "s3://bucket/lake", "local_root": "/srv/here"}, "/srv/here.keys/pii-key"),
    ],
)
def test_where_the_key_is(settings, path):
    assert key_path(Settings(**settings)) == Path(path)


def test_the_key_of_a_lake_in_an_object_store_is_on_this_machine():
    assert key_path(Settings(root="s3://bucket/lake")) == Path("data/lake.keys/pii-key").absolute()


def test_a_key_is_made_once(tmp_path):
    settings = Settings(root=str(tmp_path / "lake"))
    first = ensure_key(settings)
    assert ensure_key(settings).secret == load_key(settings).secret == first.secret


def test_many_at_once_agree_on_one_key(tmp_path):
    settings = Settings(root=str(tmp_path / "lake"))
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: ensure_key(settings).secret, range(32)))
    assert len(set(keys)) == 1
    assert sorted(p.name for p in tmp_path.rglob("*")) == [".gitignore", "lake.keys", "pii-key"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(BadInput, match="cannot be made: Permission denied"):
        create_key(tmp_path / "key")
    tmp_path.chmod(0o700)


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path):
    with pytest.raises(BadInput, match="cannot be made"):
        create_key(key_file(tmp_path) / "key")


@pytest.mark.slow
def test_the_commands(tmp_path, capsys):
    def run(*words: str) -> tuple[int, str, str]:
        status = cli.run(["--root", str(tmp_path / "lake"), "keys", *words])
        said = capsys.readouterr()
        return status, said.out.strip(), said.err.strip()

    assert run("show-id")[0] == 2
    status, key_id, err = run("init")
    assert (status, len(key_id)) == (0, 8)
    assert key_id in err
    assert run("init")[0] == 2
    assert run("show-id")[:2] == (0, key_id)
    status, _, err = run("rotate")
    assert status == 2
    assert "--yes" in err
    status, new_id, err = run("rotate", "--yes")
    assert (status, new_id) != (0, key_id)
    assert run("show-id")[:2] == (0, new_id)
    (tmp_path / "lake.keys" / "pii-key").chmod(0o644)
    status, out, err = run("show-id")
    assert (status, out, err.count("\n")) == (2, "", 0)
    assert "has mode 0644" in err


@pytest.fixture
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.parametrize("any_umask", [0o000, 0o022, 0o277], indirect=True)
def test_a_key_is_its_owners_alone_whatever_the_umask(tmp_path: Path, any_umask: None) -> None:
    ensure_key(Settings(root=str(tmp_path / "lake")))
    keys = tmp_path / "lake.keys"
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (keys, keys / "pii-key")}
    assert modes == {"lake.keys": 0o700, "pii-key": 0o600}


def added_by_git(checkout: Path) -> list[str]:
    """What `git add --all` would add."""
    subprocess.run(["git", "init", "-q", str(checkout)], check=True)
    listed = subprocess.run(
        ["git", "-C", str(checkout), "ls-files", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(listed.stdout.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "place", [None, "own.key", "a folder/my [key]*.bin", "#key", "there/key", "old"]
)
def test_git_never_adds_a_key_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str | None
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / ".gitignore").write_text("*.o")
    (tmp_path / "there" / "code.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_ROOT", "lake")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / ".git" / "home"))
    if place == "old":
        create_key(tmp_path / "lake.pii-key")
        (tmp_path / ".gitignore").unlink()
    elif place is not None:
        monkeypatch.setenv("LAKEHOUSE_PII_KEY_FILE", place)
    assert cli.run(["init"]) == 0
    assert cli.run(["keys", "rotate", "--yes"]) == 0
    assert cli.run(["access", "init"]) == 0
    assert len([p for p in tmp_path.rglob("*key*") if p.is_file()]) == 3
    assert [n for n in added_by_git(tmp_path) if "key" in n] == []
    assert "there/code.py" in added_by_git(tmp_path)


def test_init_says_where_the_key_is_and_how_an_old_one_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_ROOT", "lake")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    assert cli.run(["init"]) == 0
    new = tmp_path / "lake.keys" / "pii-key"
    assert f"key of personal data: {new}\n" in capsys.readouterr().err
    old = tmp_path / "lake.pii-key"
    new.rename(old)
    secret = load_key(Settings(root="lake")).secret
    assert cli.run(["init"]) == 0
    said = capsys.readouterr().err
    assert f"{old}, where older versions made it; it works there; to move it" in said
    move = said.partition("of its own: ")[2].splitlines()[0].replace("mkdir -m 700", "mkdir -p")
    subprocess.run(move, shell=True, check=True)
    assert load_key(Settings(root="lake")).secret == secret
    assert not old.exists()

"""The token key: 256 bits in a file of its owner alone, outside the lake."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.paths import is_url
from lakehouse.private_files import close_folder, entered, new_part
from lakehouse.settings import Settings

BYTES = 32
_MODE = 0o600
_READ_ONLY = 0o400
IGNORED = ".gitignore"
PII, RESTRICTED = "pii-key", "restricted-key"
_MAKE = "make one with `lakehouse keys init`"


@dataclass(frozen=True)
class TokenKey:
    """A key in memory. `key_id` tells keys apart and says nothing of the key; the secret
    is in no repr, no comparison and no error."""

    key_id: str
    secret: bytes = field(repr=False, compare=False)

    @classmethod
    def of(cls, secret: bytes) -> TokenKey:
        """Raises BadInput unless `secret` has 32 bytes."""
        if len(secret) != BYTES:
            raise BadInput(f"a token key has {BYTES} bytes, not {len(secret)}")
        return cls(_digest(secret, "key id").hex()[:8], secret)

    @classmethod
    def load(cls, path: Path, *, root: str | None = None) -> TokenKey:
        """Reads 32 raw bytes or 64 hex digits. Raises BadInput where the file is missing, is
        not its owner's alone (mode 0600), lies in the lake at `root`, or holds no key."""
        refuse_inside_lake(path, root)
        try:
            found = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BadInput(f"key file {path} does not exist; {_MAKE}") from error
        except OSError as error:
            raise BadInput(f"key file {path} cannot be read: {error.strerror}") from error
        if not stat.S_ISREG(found):
            raise BadInput(f"key file {path} is no file")
        mode = stat.S_IMODE(found)
        if mode not in (_MODE, _READ_ONLY):
            raise BadInput(
                f"key file {path} has mode {mode:04o}, allowed is {_MODE:04o}: chmod 600 {path}"
            )
        try:
            return cls.of(_secret(path.read_bytes(), path))
        except OSError as error:
            raise BadInput(f"key file {path} cannot be read: {error.strerror}") from error

    def field_key(self, name: str) -> bytes:
        """A key of its own for each field, so that equal values of two fields differ."""
        return _digest(self.secret, f"field:{name}")


def key_path(settings: Settings) -> Path:
    """Where the key is: the setting, or the lake's folder of keys."""
    return key_place(settings, PII, settings.pii_key_file)


def key_place(settings: Settings, kind: str, chosen: Path | None) -> Path:
    """`chosen`, or `<root>.keys/<kind>`; a key that an older version made beside the lake, as
    `<root>.<kind>`, stays where it is."""
    if chosen is not None:
        return chosen.expanduser()
    if is_url(settings.root):
        return settings.beside("keys").absolute() / kind
    root = Path(settings.root).expanduser().resolve()
    beside = root.with_name(f"{root.name}.{kind}")
    return beside if beside.exists() else root.with_name(f"{root.name}.keys") / kind


def place_told(path: Path) -> str:
    """A line that says where a key is, and how to move one that an older version made."""
    name, _, kind = path.name.rpartition(".")
    if not name or kind not in (PII, RESTRICTED):
        return str(path)
    keys = path.with_name(f"{name}.keys")
    return (
        f"{path}, where older versions made it; it works there; to move it to a folder of its "
        f"own: mkdir -m 700 {keys} && mv {path} {keys / kind}"
    )


def load_key(settings: Settings) -> TokenKey:
    """The key of a lake. Raises BadInput as `TokenKey.load` does."""
    return TokenKey.load(key_path(settings), root=settings.root)


def create_key(path: Path, *, root: str | None = None) -> TokenKey:
    """Makes a new random key file. Raises BadInput where one exists: without its key no token
    can be made again."""
    refuse_inside_lake(path, root)
    key = TokenKey.of(secrets.token_bytes(BYTES))
    if not _write_new(path, key.secret):
        raise BadInput(f"key file {path} exists already; `lakehouse keys rotate` replaces it")
    return key


def ensure_key(settings: Settings) -> TokenKey:
    """The key of a lake, made where there is none yet; processes that start together agree."""
    return ensure_key_file(key_path(settings), root=settings.root)


def ensure_key_file(path: Path, *, root: str | None = None) -> TokenKey:
    """The key in a file, made where there is none yet. Raises BadInput as `TokenKey.load`."""
    refuse_inside_lake(path, root)
    if not path.exists():
        _write_new(path, secrets.token_bytes(BYTES))
    return TokenKey.load(path, root=root)


def rotate_key(path: Path, *, root: str | None = None) -> tuple[TokenKey, TokenKey]:
    """Puts a new key in place of the old one, which stays beside it under its id; returns
    both. Tokens of the old key keep its id until their days are cleaned again."""
    old = TokenKey.load(path, root=root)
    new = TokenKey.of(secrets.token_bytes(BYTES))
    beside = path.with_name(f"{path.name}.{new.key_id}.new")
    kept = path.with_name(f"{path.name}.{old.key_id}")
    _write_new(beside, new.secret)
    try:
        if not kept.exists():
            os.link(path, kept)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise LakehouseError(f"key file {path} stays as it was: {error.strerror}") from error
    return old, new


def refuse_inside_lake(path: Path, root: str | None) -> None:
    """Who holds the lake must not hold the key."""
    if root is not None and not is_url(root) and path.resolve().is_relative_to(_folder(root)):
        raise BadInput(f"key file {path} lies inside the lake {root}; keep it elsewhere")


def _folder(root: str) -> Path:
    return Path(root).resolve()


def _secret(content: bytes, path: Path) -> bytes:
    if len(content) == BYTES:
        return content
    text = content.strip()
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != BYTES:
        raise BadInput(
            f"key file {path} holds {len(content)} bytes; allowed are {BYTES} raw bytes or "
            f"{2 * BYTES} hex digits"
        )
    return secret


def _write_new(path: Path, secret: bytes) -> bool:
    """Whether the file was made; false where one exists. It appears whole or not at all, in a
    folder of its owner alone where the folder is made for it, and where git does not look."""
    if path.exists():
        return False
    try:
        own = path.parent.suffix == ".keys"
        if own or not path.parent.exists():
            close_folder(path.parent)
            (path.parent / IGNORED).write_text("*\n", encoding="utf-8")
        keep_from_git(path)
        folder = path.parent.resolve()
        with entered(folder) as at, new_part(at) as (part, taken):
            taken.write(secret.hex().encode() + b"\n")
            taken.flush()
            made = _linked(folder / part, path)
            os.unlink(part, dir_fd=at)
        return made
    except OSError as error:
        raise BadInput(f"key file {path} cannot be made: {error.strerror}") from error


def keep_from_git(path: Path) -> None:
    """Names the key, and the older ones that lie beside it, in the .gitignore of its folder where
    a checkout is around it, so that `git add .` passes them over."""
    folder = path.parent.resolve()
    if not any((above / ".git").exists() for above in (folder, *folder.parents)):
        return
    rules = folder / IGNORED
    written = rules.read_text(encoding="utf-8") if rules.exists() else ""
    name = re.sub(r"([\\*?\[ ])", r"\\\1", path.name)
    wanted = [rule for rule in (f"/{name}", f"/{name}.*") if rule not in written.splitlines()]
    if wanted and "*" not in written.splitlines():
        begun = written if not written or written.endswith("\n") else written + "\n"
        rules.write_text(begun + "\n".join(wanted) + "\n", encoding="utf-8")


def _linked(part: Path, path: Path) -> bool:
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    return True


def _digest(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, b"lakehouse:" + purpose.encode(), hashlib.sha256)

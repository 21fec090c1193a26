"""The token key: 256 bits in a file of its owner alone, outside the lake."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.settings import Settings

BYTES = 32
_MODE = 0o600
_READ_ONLY = 0o400
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
        if not path.exists():
            raise BadInput(f"key file {path} does not exist; {_MAKE}")
        if not path.is_file():
            raise BadInput(f"key file {path} is no file")
        mode = stat.S_IMODE(path.stat().st_mode)
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
    """Where the key is: the setting, or beside the lake's folder. Raises BadInput for a lake
    at a URL without the setting."""
    if settings.pii_key_file is not None:
        return settings.pii_key_file
    if "://" in settings.root:
        raise BadInput(f"lake {settings.root!r} is at a URL: set pii_key_file to a local path")
    root = Path(settings.root).resolve()
    return root.with_name(f"{root.name}.pii-key")


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
    if root is not None and "://" not in root and path.resolve().is_relative_to(_folder(root)):
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
    """Whether the file was made; false where one exists. It appears whole or not at all."""
    if path.exists():
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".key-", dir=path.parent) as private:
            part = Path(private) / path.name
            part.touch(_MODE)
            part.chmod(_MODE)
            part.write_bytes(secret.hex().encode() + b"\n")
            return _linked(part, path)
    except OSError as error:
        raise BadInput(f"key file {path} cannot be made: {error.strerror}") from error


def _linked(part: Path, path: Path) -> bool:
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    return True


def _digest(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, b"lakehouse:" + purpose.encode(), hashlib.sha256)

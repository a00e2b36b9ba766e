"""The secrets that pseudonyms are made with: one folder, outside the home, for its owner only.

A copy of the lake, or of a backup of it, says nothing about who is behind a pseudonym. Secrets
are never printed, logged or put into a message; a key is named by its fingerprint.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cdr.errors import WrongUse, storage

SECRET_BYTES = 32
"""As long as what HMAC-SHA-256 gives: RFC 2104, section 3."""

FINGERPRINT_DIGITS = 4
"""Hexadecimal digits that name a key within a pseudonym. Ours: tells a handful of keys apart."""

_SUFFIX = ".key"
_STAMP = "%Y%m%dT%H%M%S.%f%z"


@dataclass(frozen=True, slots=True)
class Key:
    """One secret and since when it is used."""

    made_at: datetime
    secret: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Short name of the key; says nothing about the secret."""
        said = hmac.new(self.secret.encode(), b"fingerprint", hashlib.sha256).hexdigest()
        return said[:FINGERPRINT_DIGITS]


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """The folder of keys; the newest makes pseudonyms, older ones explain older pseudonyms.

    Parameters
    ----------
    root : Path
        Made with mode 0700 when the first key is.
    home : Path
        The home that the keys are for; they may not lie within it.
    """

    root: Path
    home: Path

    def current(self) -> Key:
        """Return the newest key; makes the first.

        Raises
        ------
        WrongUse
            If the folder lies within the home, or others can enter it or read a key.
        StorageFailed
            If the disk refuses.
        """
        keys = self.all()
        return keys[-1] if keys else self.rotate()

    def all(self) -> list[Key]:
        """Return every key, the oldest first."""
        self._outside()
        if not self.root.exists():
            return []
        _only_ours(self.root, folder=True)
        return [self._read(file) for file in sorted(self.root.glob(f"*{_SUFFIX}"))]

    def rotate(self) -> Key:
        """Make a new key, which is used from now on; earlier ones stay."""
        self._outside()
        key = Key(datetime.now(tz=UTC), secrets.token_hex(SECRET_BYTES))
        with storage("writing a key"):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _only_ours(self.root, folder=True)
            file = self.root / f"{key.made_at.strftime(_STAMP)}{_SUFFIX}"
            _write_new(file, key.secret)
        return key

    def _outside(self) -> None:
        if self.root.resolve().is_relative_to(self.home.resolve()):
            raise WrongUse(
                "keys may not lie within the home: a copy of it would hold both. "
                "Set access.keys to another folder"
            )

    def _read(self, file: Path) -> Key:
        _only_ours(file, folder=False)
        with storage("reading a key"):
            secret = file.read_text("ascii", errors="replace").strip()
        try:
            made_at = datetime.fromisoformat(file.name.removesuffix(_SUFFIX))
            if len(bytes.fromhex(secret)) != SECRET_BYTES:
                raise ValueError
        except ValueError:
            raise WrongUse(
                f"{file.name} in the folder of keys is no key; restore it from a backup"
            ) from None
        return Key(made_at, secret)


def _write_new(file: Path, secret: str) -> None:
    """Write a file that is not there yet, whole or not at all."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w") as written:
            written.write(secret)
            written.flush()
            os.fsync(written.fileno())
        os.link(draft, file)
    finally:
        draft.unlink()


def _only_ours(path: Path, *, folder: bool) -> None:
    """Refuse what others can read or change, or what is a link to somewhere else."""
    with storage("looking at the folder of keys"):
        found = path.lstat()
    right_kind = stat.S_ISDIR(found.st_mode) if folder else stat.S_ISREG(found.st_mode)
    if not right_kind:
        raise WrongUse(f"{path.name} is not a {'folder' if folder else 'plain file'}")
    if found.st_mode & 0o077 or found.st_uid not in (os.geteuid(), 0):
        mode = "700" if folder else "600"
        raise WrongUse(
            f"others on this machine can reach {path.name}, which holds keys; "
            f"`chmod {mode}` it, or rotate the keys if somebody did"
        )

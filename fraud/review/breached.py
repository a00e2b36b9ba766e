"""Passwords known from breaches, looked up in a file of the operator's; nobody is asked.

The file is a download of Have I Been Pwned's "Pwned Passwords" in one file, ordered by hash: a line
`SHA-1 in 40 hex digits`, optionally ``:count``, for each password. It has tens of gigabytes and a
billion lines; a look takes some thirty reads. Not here: what makes a password guessable
(`passwords`).
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import IO

from cdr.errors import WrongUse

FILE = "breached-passwords.txt"
"""In the home; a link to the file will do."""

LONGEST_LINE = 64
"""Bytes: 40 digits, a colon, a count of 20 digits at most, a line end. Longer is no hash."""

_LINE = re.compile(rb"^([0-9A-Fa-f]{40})(:[0-9]+)?\r?\n?$")


def is_breached(password: str, file: Path) -> bool:
    """Tell whether a password is in a file of hashes.

    Parameters
    ----------
    password : str
        As it was typed; its UTF-8 bytes are hashed.
    file : Path
        Lines ordered by hash.

    Raises
    ------
    WrongUse
        If a line that is met is no hash: the file is of another kind.
    """
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with file.open("rb") as lines:
        low, high = 0, lines.seek(0, 2)
        # the line of the hash, if there is one, begins in [low, high)
        while low < high:
            middle = (low + high) // 2
            found, ends = _line_from(lines, middle)
            if found == wanted:
                return True
            if found is not None and found < wanted:
                low = ends
            else:
                high = middle
    return False


def _line_from(lines: IO[bytes], at: int) -> tuple[bytes | None, int]:
    """Return the hash of the first line that begins at or after `at`, and where the line ends."""
    begins = at
    if at:
        lines.seek(at - 1)
        begins = at - 1 + len(_short_line(lines))
    lines.seek(begins)
    line = _short_line(lines)
    if not line:
        return None, begins
    parts = _LINE.match(line)
    if parts is None:
        raise WrongUse(
            f"{FILE} is not a list of SHA-1 hashes ordered by hash: download Pwned Passwords as "
            "one file, or remove it"
        )
    return parts[1].upper(), begins + len(line)


def _short_line(lines: IO[bytes]) -> bytes:
    return lines.readline(LONGEST_LINE)

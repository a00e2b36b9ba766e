"""What may be read as a file of the operator's."""

from __future__ import annotations

import stat
from pathlib import Path

from cdr.errors import FormatError, shown


def check_file(path: Path) -> None:
    """Refuse what is not there, or is no file.

    A pipe or a device can be read once; a file is read twice, to know it again and to take it in.

    Raises
    ------
    FormatError
        If it is a folder, a pipe, a device or nothing, or may not be looked at.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise FormatError(shown(path), "there is no such file") from None
    except OSError:
        raise FormatError(shown(path), "cannot be read; check its permissions") from None
    if stat.S_ISDIR(mode):
        raise FormatError(shown(path), "is a folder; name its files")
    if not stat.S_ISREG(mode):
        raise FormatError(shown(path), "is a pipe or a device; write it to a file first")

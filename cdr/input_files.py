"""What may be read as a file of the operator's."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from cdr.errors import FormatError, shown

_FOLDER = "is a folder; name its files"
_LINKED = "is a link to a folder, which is not followed; name its files, or copy them"
_NOT_ALLOWED = "cannot be read; check its permissions"
_UNREADABLE = {
    errno.ELOOP: "is a link to itself",
    errno.EIO: "cannot be read: the disk has a fault",
}


def check_file(path: Path) -> None:
    """Refuse what is not there, or is no file.

    A pipe or a device can be read once; a file is read twice, to know it again and to take it in.

    Raises
    ------
    FormatError
        If it is a folder, a pipe, a device or nothing, or may not be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(path).close()
        elif stat.S_ISREG(mode):
            path.open("rb").close()
    except FileNotFoundError:
        raise FormatError(shown(path), "there is no such file") from None
    except OSError as error:
        raise FormatError(shown(path), _UNREADABLE.get(error.errno or 0, _NOT_ALLOWED)) from None
    if stat.S_ISDIR(mode):
        raise FormatError(shown(path), _LINKED if path.is_symlink() else _FOLDER)
    if not stat.S_ISREG(mode):
        raise FormatError(shown(path), "is a pipe or a device; write it to a file first")

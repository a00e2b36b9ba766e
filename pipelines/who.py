"""Who runs a command: the user of the operating system, for the audit log."""

from __future__ import annotations

import os
import pwd


def user_name() -> str:
    """Return the name of the user that the process runs as; its number where it has none.

    Not what the environment says, which anybody can set.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid:{os.getuid()}"

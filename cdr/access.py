"""Who is asking, and what they may: users of the machine, as the settings name them.

Whoever owns the home can read its files, so no setting takes anything away from that user.
Others get at data only through `sudo -u OWNER callsieve ...`, and are known by the name that
they signed in with. What that stops and what not: `docs/security.md`.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterable
from pathlib import Path

from cdr.errors import WrongUse

EVERYBODY = "*"


def person() -> str:
    """Return the name of the user who is asking; through `sudo`, of who called it."""
    return os.environ.get("SUDO_USER") or _name(os.geteuid())


def check(who: str, named: Iterable[str], *, home: Path, setting: str) -> None:
    """Refuse who is neither the owner of the home nor among those that a setting names.

    Parameters
    ----------
    who : str
        Name of a user, see `person`.
    named : iterable of str
        Users, ``@group`` or ``*``.
    home : Path
        Its owner may everything.
    setting : str
        Name of the setting, for the message.

    Raises
    ------
    WrongUse
        If they may not.
    """
    if who == _name(home.stat().st_uid):
        return
    if not any(one in (EVERYBODY, who) or _in_group(who, one) for one in named):
        raise WrongUse(f"you may not do that; {setting} in the settings names who may")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's user that no list names
        return str(uid)


def _in_group(who: str, named: str) -> bool:
    if not named.startswith("@"):
        return False
    try:
        group = grp.getgrnam(named.removeprefix("@"))
        return who in group.gr_mem or pwd.getpwnam(who).pw_gid == group.gr_gid
    except KeyError:
        return False

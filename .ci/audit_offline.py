"""Compare every locked version with a list of known weaknesses, without a network.

    python .ci/audit_offline.py all.zip

The list is OSV's for PyPI, a ZIP of one JSON file a weakness
(https://google.github.io/osv.dev/data/). A weakness counts where the locked version is named, or
lies in a range of kind ECOSYSTEM. Ends with 0, with 1 where one is known, with 3 where the list
cannot be read.
"""

from __future__ import annotations

import json
import sys
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

LOCK = Path(__file__).parents[1] / "uv.lock"


def main(listed: Path) -> int:
    """Print what is known of what is locked; returns how the command ends."""
    locked = locked_versions(LOCK.read_text("utf-8"))
    try:
        known, newest, count = read_list(listed, locked)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(
            f"dependency audit: NOT AUDITED, {listed.name} is no list of OSV that can be read "
            f"({type(error).__name__})\n"
        )
        return 3
    if not count:
        sys.stderr.write(f"dependency audit: NOT AUDITED, {listed.name} lists nothing for PyPI\n")
        return 3
    lines = [f"{name} {version}: {found}" for name, version, found in sorted(known)]
    versions = sum(map(len, locked.values()))
    lines.append(
        f"dependency audit: {versions} locked versions compared with {count:,} weaknesses, "
        f"the newest of {newest[:10]}: {len(known)} known"
    )
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if known else 0


def locked_versions(lock: str) -> dict[str, set[str]]:
    """Return the versions of each package that the lock file names, but of the project itself."""
    versions: defaultdict[str, set[str]] = defaultdict(set)
    for package in tomllib.loads(lock)["package"]:
        if "registry" in package["source"]:
            versions[canonicalize_name(package["name"])].add(package["version"])
    return dict(versions)


def read_list(
    listed: Path, locked: dict[str, set[str]]
) -> tuple[set[tuple[str, str, str]], str, int]:
    """Return what is known of what is locked, when the list was changed last, and its length."""
    known: set[tuple[str, str, str]] = set()
    newest, count = "", 0
    with zipfile.ZipFile(listed) as archive:
        for member in archive.namelist():
            weakness = json.loads(archive.read(member))
            newest, count = max(newest, weakness["modified"]), count + 1
            if "withdrawn" not in weakness:
                known |= {(*one, weakness["id"]) for one in _hit(weakness, locked)}
    return known, newest, count


def _hit(weakness: dict[str, Any], locked: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    for affected in weakness.get("affected", ()):
        package = affected.get("package", {})
        if package.get("ecosystem") != "PyPI":
            continue
        name = canonicalize_name(package["name"])
        for version in locked.get(name, ()):
            if version in affected.get("versions", ()) or any(
                _within(version, one["events"])
                for one in affected.get("ranges", ())
                if one["type"] == "ECOSYSTEM"
            ):
                yield name, version


def _within(version: str, events: list[dict[str, str]]) -> bool:
    """Tell whether a version lies in a range: introduced at or before it, and not yet fixed."""
    ours, inside = Version(version), False
    for kind, at in sorted(
        ((kind, at) for event in events for kind, at in event.items()), key=lambda one: _at(one[1])
    ):
        begun = _at(at) <= ours
        if kind == "introduced" and begun:
            inside = True
        elif (kind == "fixed" and begun) or (kind == "last_affected" and _at(at) < ours):
            inside = False
    return inside


def _at(version: str) -> Version:
    try:
        return Version(version)  # "0" means from the first version on
    except InvalidVersion:
        return Version("0")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

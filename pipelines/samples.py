"""The sample files: where they lie, and a home laid out with them.

They are synthetic; ``data/samples/README.md`` says how they were made.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from cdr import Lake, load_settings, open_lake
from cdr.errors import WrongUse, storage

SAMPLE_DAY = date(2026, 9, 30)
"""The last day of the samples, in UTC."""

_PLACES = (
    Path(__file__).parents[1] / "data" / "samples",  # a checkout
    Path(__file__).parent / "sample_files",  # an installed wheel
)


def samples() -> Path:
    """Return the folder of the sample files.

    Raises
    ------
    WrongUse
        If they were not installed.
    """
    for place in _PLACES:
        if place.is_dir():
            return place
    raise WrongUse("the sample files are not installed; use the wheel or a checkout")


def sample_lake(home: Path | str) -> Lake:
    """Open a lake in ``home`` with the samples in its inbox and the settings that fit them."""
    origin = samples()
    lake = open_lake(load_settings(origin / "callsieve.toml", home=home), create=True)
    with storage("laying out the samples"):
        shutil.copytree(origin / "inbox", lake.home.inbox, dirs_exist_ok=True)
        for file in sorted(origin.glob("*.csv")):
            shutil.copy2(file, lake.home.inbox / file.name)
    return lake

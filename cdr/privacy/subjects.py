"""How a person stands in the audit log: as a pseudonym.

Pseudonyms are made with the keys of the home, which lie outside of it, so the log alone says
nothing about who it was, and nothing any more once the key is destroyed.
"""

from __future__ import annotations

import polars as pl

from cdr.lake import Lake
from cdr.privacy.audit import without_personal
from cdr.privacy.requests import Person
from cdr.pseudonyms import Key, KeyFolder, pseudonyms


def subject_of(lake: Lake, person: Person) -> str:
    """Return the pseudonym of a person under the key that is used now."""
    return _pseudonym(person.subject, _keys(lake).current())


def subjects_of(lake: Lake, person: Person) -> frozenset[str]:
    """Return the person's pseudonyms under every key there is, older entries name those."""
    return frozenset(_pseudonym(person.subject, key) for key in _keys(lake).all())


def reason_without_personal(lake: Lake, reason: str | None) -> str | None:
    """Return a reason as the audit log keeps it: numbers and addresses as pseudonyms."""
    if reason is None:
        return None
    key = _keys(lake).current()
    return without_personal(reason, lambda text: _pseudonym(text, key))


def _keys(lake: Lake) -> KeyFolder:
    return KeyFolder(lake.settings.keys_folder, lake.home.root)


def _pseudonym(text: str, key: Key) -> str:
    return str(pseudonyms(pl.Series([text]), key)[0])

"""What points to one person, and how it is recognised in columns and in bytes.

A person is an account of ours or whoever a number belongs to. Values that other accounts have
too (a shared device, a common name) are no identifiers: erasing them would change what is
known about somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import phonenumbers
import polars as pl

from cdr.errors import WrongUse
from cdr.lake import Lake
from cdr.privacy.requests import Person
from cdr.schema import ACCOUNT_EVENTS, ACCOUNT_NUMBERS, ACCOUNTS, DIRECT, TABLES, TEXTS

SHORTEST = 6
"""Signs below which a value is only compared as a whole. Ours: shorter ones occur within other
words and in packed data by chance."""

_E164 = re.compile(r"\+[1-9]\d{6,14}")
BETWEEN = r"[\s\-./()]{0,2}"
"""What people and switches write between the digits of a number."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What points to one person.

    Parameters
    ----------
    person : Person
        Who.
    account_id : str or None
        None for a bare number.
    numbers : tuple of str
        E.164.
    values : tuple of str
        Names, addresses, documents, devices and the like.
    derived : tuple of str
        What other tables keep in place of them, such as the hash of a number.
    shared : dict of str to int
        How many values of a kind are no identifiers because others have them too.
    """

    person: Person
    account_id: str | None
    numbers: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    shared: dict[str, int] = field(default_factory=dict)

    def whole(self) -> list[str]:
        """Return every text that stands for the person when a cell holds exactly that."""
        return sorted({*self._texts(), *self.numbers})

    def parts(self) -> list[str]:
        """Return texts that stand for the person wherever they occur; long ones only."""
        digits = (form for number in self.numbers for form in written_forms(number))
        return sorted(text for text in {*self._texts(), *digits} if len(text) >= SHORTEST)

    def pattern(self) -> str:
        """Return a regular expression, without look-around, for words that stand for the person.

        Numbers are found however they are spaced; nothing is found within a longer word. What
        is only a few digits is found between quotes or tags, as in JSON and HTML: elsewhere it
        could be any count. The first and last group are what stands around a word.
        """
        counts = [text for text in self._texts() if text.isdigit() and len(text) < SHORTEST]
        words = [re.escape(text) for text in self._texts() if text not in counts]
        words += [BETWEEN.join(form) for number in self.numbers for form in written_forms(number)]
        found = []
        if words:
            found.append(rf"(?:^|[^0-9A-Za-z_])\+?(?:{'|'.join(words)})(?:$|[^0-9A-Za-z_])")
        if counts:
            found.append(rf"[\"'>](?:{'|'.join(counts)})[\"'<]")
        return "|".join(found) or r"$^"

    def replaced(self, text: str, by: str) -> str:
        """Return a text with another word wherever the person is named."""
        words = re.compile(
            self.pattern()
            .replace("(?:^|[^0-9A-Za-z_])", "(?<![0-9A-Za-z_])")
            .replace("(?:$|[^0-9A-Za-z_])", "(?![0-9A-Za-z_])")
        )

        def without(found: re.Match[str]) -> str:
            whole = found.group()
            edges = whole[0] in "\"'>" and whole[-1] in "\"'<"
            return f"{whole[0]}{by}{whole[-1]}" if edges else by

        return words.sub(without, text)

    def _texts(self) -> list[str]:
        own = () if self.account_id is None else (self.account_id,)
        return sorted({*own, *self.values, *self.derived} - {""})

    def as_json(self) -> dict[str, Any]:
        """Return it so that `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Identifiers:
        """Read back what `as_json` gave."""
        lists = {name: tuple(content[name]) for name in ("numbers", "values", "derived")}
        return cls(**{**content, **lists, "person": Person(**content["person"])})


def person_of(*, account: str | None, number: str | None) -> Person:
    """Return who is meant by exactly one of an account and a number.

    Raises
    ------
    WrongUse
        If none or both are given, or the number is not in E.164.
    """
    if (account is None) == (number is None):
        raise WrongUse("name the person by --account or by --number, one of the two")
    if account is not None:
        return Person("account", account)
    digits = re.sub(r"[\s().\-/]", "", str(number))
    digits = "+" + digits.removeprefix("00") if digits.startswith("00") else digits
    if not _E164.fullmatch(digits):
        raise WrongUse("--number must be international, such as +49301234567")
    return Person("number", digits)


def check_known(lake: Lake, person: Person) -> None:
    """Refuse an account of which no table holds anything: a mistyped id concerns nobody.

    A number may be anybody's, also before its first call.

    Raises
    ------
    WrongUse
        If no row of the account is there.
    """
    if person.kind != "account":
        return
    named = [table for table in TABLES.values() if "account_id" in table.polars_schema]
    for table in sorted(named, key=lambda table: table is not ACCOUNTS):  # where most are found
        rows = lake.scan(table).filter(account_id=person.subject).head(1)
        if not rows.collect(engine="streaming").is_empty():
            return
    raise WrongUse(
        "there is no such account: no table holds anything of it; look at how it is written"
    )


def written_forms(number: str) -> tuple[str, ...]:
    """Return the digits of a number in the forms that occur: international and as dialled at home.

    Examples
    --------
    >>> written_forms("+49301234567")
    ('49301234567', '0301234567')
    """
    digits = number.removeprefix("+")
    try:
        parsed = phonenumbers.parse(number)
        home = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    except phonenumbers.NumberParseException:
        return (digits,)
    national = re.sub(r"\D", "", home)
    return (digits,) if len(national) < SHORTEST else tuple(dict.fromkeys((digits, national)))


def identifiers_of(
    lake: Lake, person: Person, *, derive: Callable[[str], Iterable[str]] = lambda _: ()
) -> Identifiers:
    """Gather what points to a person from what is held about accounts.

    Parameters
    ----------
    lake : Lake
        Whose.
    person : Person
        Who.
    derive : callable, optional
        Gives what other tables keep in place of a number or address.
    """
    if person.kind == "number":
        return Identifiers(
            person, None, (person.subject,), derived=tuple(sorted(derive(person.subject)))
        )
    account = pl.col("account_id") == person.subject
    own: set[str] = set()
    shared: dict[str, int] = {}
    for table in (ACCOUNTS, ACCOUNT_EVENTS):
        for column in table.fields:
            if column.personal is not DIRECT or column.name in ("counterpart", "forward_to"):
                continue  # those are other people
            mine, others = _split(lake.scan(table), column.name, column.dtype == TEXTS, account)
            own |= mine - others
            if both := len(mine & others):
                shared[column.name] = shared.get(column.name, 0) + both
    held = lake.scan(ACCOUNT_NUMBERS)
    mine, others = _split(held, "number", False, account)
    if both := len(mine & others):
        shared["number"] = both
    numbers = tuple(sorted(mine - others))
    derived = {one for text in {*own, *numbers} for one in derive(text)}
    values = own - {person.subject, *numbers}
    return Identifiers(
        person, person.subject, numbers, tuple(sorted(values)), tuple(sorted(derived)), shared
    )


def _split(
    rows: pl.LazyFrame, column: str, of_lists: bool, account: pl.Expr
) -> tuple[set[str], set[str]]:
    """Return the values of the account and which of these others have."""
    every = rows.select("account_id", column)
    if of_lists:
        every = every.explode(column)
    every = every.filter(pl.col(column).is_not_null() & (pl.col(column) != ""))
    mine = every.filter(account).select(column).unique().collect(engine="streaming")[column]
    among = pl.col(column).is_in(mine.implode())
    others = every.filter(~account & among).select(column).unique().collect(engine="streaming")
    return set(mine), set(others[column])

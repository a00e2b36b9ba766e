"""Who pays for which leg, declared as a table and not in code.

Rules are tried from the top; the first that holds decides. They read facts of a leg and
say what to do, never what it costs. The set that ships is `rules_standard.csv`; an
operator's own is a file of the same columns.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import reduce
from importlib.resources import files
from operator import and_
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, WrongUse, shown
from cdr.operator_files import LIST_SEPARATOR

STANDARD = "standard"

ACTIONS = ("rate", "free", "skip", "hold")
"""`rate`: a line at the deck's price. `free`: a line of zero. `skip`: no line, only counted.
`hold`: no line until a person decides or a correction comes; reported with what has no price."""

NUMBERS = ("callee", "forwarded_to", "caller")
"""Which number of the leg is priced."""

PLAN = "plan"
"""In the column `deck`: the deck of the account's plan. Otherwise the name of a deck."""

_ONE_OF = ("direction", "outcome", "callee_type")
_YES_NO = ("on_net", "forwarded", "onward_leg", "zero_length")
_COLUMNS = ("rule", *_ONE_OF, *_YES_NO, "flag", "action", "number", "deck", "why")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in their order.

    ``text`` is the table they came from, ``rules`` the same as rows of text (null: any).
    """

    name: str
    text: str
    rules: pl.DataFrame

    @property
    def sha256(self) -> str:
        """Hash of the table; two sets with the same hash decide alike."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def deck_names(self) -> frozenset[str]:
        """Decks that rules name themselves."""
        return frozenset(self.rules["deck"].drop_nulls()) - {PLAN}

    def decide(self, legs: pl.DataFrame) -> pl.DataFrame:
        """Find the rule of each leg.

        Parameters
        ----------
        legs : DataFrame, shape (n, ...)
            `direction`, `outcome`, `callee_type` (text), `on_net` (where the call ends is a
            number of an account of ours), `forwarded`, `onward_leg` (the call has an
            outbound leg of its own to where it went on), `zero_length` (Boolean), `flags`,
            `released` (Boolean: a person decided to bill it, so rules that hold pass it by).

        Returns
        -------
        DataFrame, shape (n, 4)
            `rule`, `action`, `number_of` and `deck` as declared; all null where no rule holds.
        """
        chosen = pl.coalesce(
            pl.when(_holds(rule)).then(pl.lit(place))
            for place, rule in enumerate(self.rules.iter_rows(named=True))
        )
        places = legs.select(chosen.cast(pl.UInt32).alias("place"))["place"]
        return self.rules.select(pl.col("rule", "action", "number", "deck").gather(places)).rename(
            {"number": "number_of"}
        )


def _holds(rule: dict[str, str | None]) -> pl.Expr:
    conditions = [
        pl.col(fact).is_in(text.split(LIST_SEPARATOR)).fill_null(value=False)
        for fact in _ONE_OF
        if (text := rule[fact])
    ]
    conditions += [pl.col(fact) == (text == "yes") for fact in _YES_NO if (text := rule[fact])]
    if flags := rule["flag"]:
        conditions.append(
            pl.any_horizontal(
                pl.col("flags").list.contains(flag) for flag in flags.split(LIST_SEPARATOR)
            )
        )
    if rule["action"] == "hold":
        conditions.append(~pl.col("released"))
    return reduce(and_, conditions, pl.lit(value=True))


def load_rules(name: str) -> RuleSet:
    """Load a set of rules.

    Parameters
    ----------
    name : str
        `standard`, or the path of a CSV file.

    Raises
    ------
    FormatError
        If the file cannot be read as such a table.
    WrongUse
        If a rule says what rules cannot say; names the rules.
    """
    if name == STANDARD:
        text = files("cdr.billing").joinpath("rules_standard.csv").read_text("utf-8")
        return parse_rules(name, text)
    file = Path(name)
    try:
        return parse_rules(file.stem, file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise FormatError(shown(file), "rules of billing cannot be read; give a CSV file") from None


def parse_rules(name: str, text: str) -> RuleSet:
    """Read and check the text of a set of rules; errors as in :func:`load_rules`."""
    try:
        rows = pl.read_csv(text.encode(), infer_schema=False, null_values=[""])
    except pl.exceptions.PolarsError:
        raise FormatError(name, "rules of billing are a CSV table with a header line") from None
    if lacking := [column for column in _COLUMNS if column not in rows.columns]:
        raise FormatError(name, f"rules of billing lack columns: {', '.join(lacking)}")
    rules = rows.select(_COLUMNS)
    if faults := _faults(rules):
        raise WrongUse(f"{name}: " + "; ".join(faults))
    return RuleSet(name, text, rules)


def _faults(rules: pl.DataFrame) -> list[str]:
    faults = [] if rules.height else ["no rules"]
    for place, rule in enumerate(rules.iter_rows(named=True), start=1):
        name = rule["rule"] or f"rule {place}"
        if not rule["rule"]:
            faults.append(f"{name} has no name")
        if rule["action"] not in ACTIONS:
            faults.append(f"{name}: action is one of {', '.join(ACTIONS)}")
        if rule["action"] in ("rate", "free") and rule["number"] not in NUMBERS:
            faults.append(f"{name}: number is one of {', '.join(NUMBERS)}")
        if rule["action"] == "rate" and not rule["deck"]:
            faults.append(f"{name}: deck is `plan` or the name of a deck")
        faults += [
            f"{name}: {fact} is yes, no or empty"
            for fact in _YES_NO
            if rule[fact] not in ("yes", "no", None)
        ]
    if rules["rule"].n_unique() != rules.height:
        faults.append("two rules have the same name")
    return faults

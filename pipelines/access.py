"""The answer to a request of access (GDPR Art. 15): the tables, the queue, who received what."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

import cdr.billing.tables  # noqa: F401 (its tables are looked through)
import fraud.tables  # noqa: F401 (the same)
from cdr.lake import Lake
from cdr.privacy import audit
from cdr.privacy.holdings import Holding, holdings_of
from cdr.privacy.identifiers import identifiers_of
from cdr.privacy.requests import Person, disclosures_of, requests_of
from cdr.privacy.subjects import subjects_of
from cdr.schema import ACCOUNTS, SCORES
from fraud.features.account_days import key_of
from fraud.model.forgetting import learned_from
from fraud.review.persons import cases_of

HOW_SCORED = (
    "Each midnight an account's calls, events and details are summed up as signals and compared "
    "with those of accounts that were blocked for fraud or misuse. The score says how like them it "
    "is, from 0 to 1; the reasons name the signals that spoke for it. A score decides nothing: "
    "where it is high, a case is opened and a person decides; blocking for good takes two."
)
"""The logic involved, in words: GDPR Art. 15(1)(h), and SCHUFA, C-634/21."""

RIGHTS_TOLD = (
    "rectification, erasure, restriction, objection (Art. 16 to 18, 21), portability (Art. 20), "
    "and a complaint to the supervisory authority (Art. 77)"
)


@dataclass(frozen=True, slots=True)
class Access:
    """What is held about a person and what was done with it.

    Parameters
    ----------
    holdings : tuple of Holding
        Table by table: why, since when, until when.
    details : list of dict
        The account's details, as they stand and stood.
    recipients : list of dict
        Disclosures to authorities, carriers and processors.
    uses : list of dict
        When who of us looked or acted, by role of the entry: no names of staff.
    scores : list of dict
        Automated scores with their reasons.
    cases : list of dict
        Cases with evidence, events and decisions.
    models : tuple of str
        Models that learned from the account.
    requests : list of dict
        What the person asked before.
    """

    holdings: tuple[Holding, ...]
    details: list[dict[str, Any]]
    recipients: list[dict[str, Any]]
    uses: list[dict[str, Any]]
    scores: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    models: tuple[str, ...]
    requests: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Return what `person access --json` prints."""
        told = {"how_scored": HOW_SCORED, "your_rights": RIGHTS_TOLD}
        return json.loads(json.dumps({**asdict(self), **told}, default=str))  # type: ignore[no-any-return]


def access(lake: Lake, person: Person) -> Access:
    """Gather everything that is held about a person. Changes nothing."""
    who = identifiers_of(lake, person, derive=lambda text: (key_of(text),))
    account = who.account_id
    return Access(
        holdings=holdings_of(lake, who),
        details=_of_account(lake, account),
        recipients=disclosures_of(lake, person).drop("subject", "kind").to_dicts(),
        uses=_uses(lake, person),
        scores=_scores(lake, account),
        cases=[] if account is None else _cases(lake, account),
        models=() if account is None else learned_from(lake.home.models, account),
        requests=requests_of(lake, person).drop("subject", "kind", "answer").to_dicts(),
    )


def _of_account(lake: Lake, account: str | None) -> list[dict[str, Any]]:
    if account is None:
        return []
    rows = lake.scan(ACCOUNTS).filter(pl.col("account_id") == account).sort("valid_from")
    return rows.collect().to_dicts()


def _scores(lake: Lake, account: str | None) -> list[dict[str, Any]]:
    """Return the account's scores; who it was like is somebody else and stays unnamed."""
    if account is None:
        return []
    rows = lake.scan(SCORES).filter(pl.col("account_id") == account).sort("as_of_date").collect()
    found = []
    for row in rows.drop("account_id", "run_id").iter_rows(named=True):
        near = json.loads(row.pop("neighbours") or "{}")
        row["reasons"] = json.loads(row["reasons"] or "[]")
        row["compared_with"] = {kind: len(accounts) for kind, accounts in near.items()}
        found.append(row)
    return found


def _cases(lake: Lake, account: str) -> list[dict[str, Any]]:
    """Return the account's cases without names of staff and of accounts it was compared with."""
    hidden = {"by", "similar_blocked", "similar_good", "was", "account_id"}
    return [
        {
            name: [{k: v for k, v in row.items() if k not in hidden} for row in value]
            if isinstance(value, list)
            else value
            for name, value in case.items()
        }
        for case in cases_of(lake.home.root, account)
    ]


def _uses(lake: Lake, person: Person) -> list[dict[str, Any]]:
    subjects = subjects_of(lake, person)
    return [
        {"at": entry.at, "what": entry.what}
        for entry in audit.entries(lake.home)
        if entry.subject in subjects
    ]

"""What the comparison gives the model: numbers about an account, as of the same midnight.

They stand beside those of `fraud.features.registry` and read alike, but come from
accounts compared with each other and not from an aggregate in SQL, so there is
neither window nor statement to them. Unknown is null, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from fraud.identity.details import DETAILS
from fraud.identity.overlap import Compared
from fraud.identity.weigh import DIFFERS


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySignal:
    """One number about one account as of one midnight.

    Parameters
    ----------
    name : str
        Ends with its unit.
    unit : {"bits", "count"}
        Of the value.
    detail : str, optional
        Detail without which the value is unknown; None where any will do.
    of_account : bool
        The value is of the account alone: over its row of `Compared.accounts`.
    value : pl.Expr
        Over an account's rows of `Compared.pairs`; 0 is taken where there are none.
    meaning : str
        Words of a reason, with ``{value}``.
    source : str
        Published reference, or "ours, because ...".
    """

    name: str
    unit: Literal["bits", "count"]
    detail: str | None = None
    of_account: bool = False
    value: pl.Expr
    meaning: str
    source: str

    @property
    def family(self) -> str:
        """Name of the family, as in the registry."""
        return "identity"


ALIKE_FROM = 0.5
"""Match probability from which two accounts count as alike: likelier the same people than not."""


def _shared_with(detail: str, what: str) -> IdentitySignal:
    level = pl.col(f"{detail}_level")
    return IdentitySignal(
        name=f"shared_{what.replace(' ', '_')}_blocked_count",
        unit="count",
        detail=detail,
        value=(level.is_not_null() & (level != DIFFERS)).sum(),
        meaning=f"blocked accounts with the same {what}: {{value}}",
        source="product design, identity overlap; rings share devices, payment means or addresses",
    )


_SHARED_DETAILS = pl.sum_horizontal(
    pl.col(f"{detail.name}_level").is_not_null() & (pl.col(f"{detail.name}_level") != DIFFERS)
    for detail in DETAILS
)

SIGNALS = (
    IdentitySignal(
        name="identity_evidence_bits",
        unit="bits",
        value=pl.col("evidence_bits").max().clip(lower_bound=0.0),
        meaning="account details agree with those of a blocked account: {value} bits",
        source="Fellegi and Sunter, JASA 64 (1969), weight of agreement, without the prior",
    ),
    IdentitySignal(
        name="identity_shared_details_count",
        unit="count",
        value=_SHARED_DETAILS.max(),
        meaning="details shared with one blocked account: {value}",
        source="product design, identity overlap",
    ),
    IdentitySignal(
        name="identity_alike_blocked_count",
        unit="count",
        value=(pl.col("match_probability") >= ALIKE_FROM).sum(),
        meaning="blocked accounts that are probably of the same people: {value}",
        source="product design, guilt by association",
    ),
    _shared_with("devices", "device"),
    _shared_with("payment_fingerprint", "means of payment"),
    _shared_with("address", "address"),
    IdentitySignal(
        name="disposable_email_count",
        unit="count",
        detail="email",
        of_account=True,
        value=pl.col("email_disposable").cast(pl.Int64),
        meaning="mail addresses at a throw-away provider: {value}",
        source="ours, because who means to stay gives an address that lasts; list: "
        "disposable-email-domains (PyPI)",
    ),
)


def identity_signals(compared: Compared) -> pl.DataFrame:
    """Return the signals of each account compared.

    Parameters
    ----------
    compared : Compared
        As `overlap.compare_accounts` gives.

    Returns
    -------
    pl.DataFrame
        One row per account, sorted: account_id and each of :data:`SIGNALS` (Float64).
        0 where the account shares no rare value with a blocked one; null where it
        has nothing to compare, or nobody has been blocked.
    """
    of_pairs = compared.pairs.group_by("account_id").agg(
        s.value.alias(s.name) for s in SIGNALS if not s.of_account
    )
    joined = compared.accounts.join(of_pairs, on="account_id", how="left", maintain_order="left")
    return joined.select("account_id", *(_known_or_null(s, compared) for s in SIGNALS))


def describe(signal: IdentitySignal, value: float | None) -> str:
    """Say what a value means, as a reason in a case.

    Examples
    --------
    >>> describe(SIGNALS[0], 13.04)
    'account details agree with those of a blocked account: 13 bits'
    >>> describe(SIGNALS[0], None)
    'unknown: no account details to compare'
    """
    if value is None:
        return "unknown: no account details to compare"
    return signal.meaning.format(value=f"{value:,.0f}")


def _known_or_null(signal: IdentitySignal, compared: Compared) -> pl.Expr:
    if signal.of_account:
        value = signal.value.cast(pl.Float64)
        return pl.when(pl.col(str(signal.detail))).then(value).alias(signal.name)
    details = [signal.detail] if signal.detail else [detail.name for detail in DETAILS]
    known = pl.any_horizontal(details) & pl.lit(compared.blocked_count > 0)
    value = pl.col(signal.name).fill_null(0).cast(pl.Float64)
    return pl.when(known).then(value).alias(signal.name)

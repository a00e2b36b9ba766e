"""The settings of scoring and of rules: numbers that only `fraud` understands.

They are here, and not there, so that one file configures one operator.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from cdr.sources import Section


class CostSettings(Section):
    """What an account may cost the operator in a day, and what other currencies are worth.

    Calls are priced by `billing.cost_deck`; where it has no rate, or there is none, by an
    indicative table in USD. All is compared in USD.
    """

    currency: str = Field(
        default="USD", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of the caps."
    )
    daily_cap: Decimal = Field(
        default=Decimal(25),
        gt=0,
        description="Cost an account may cause in a day before it is a case, in `currency`.",
    )
    usd_per: dict[str, Annotated[Decimal, Field(gt=0, le=1_000_000)]] = Field(
        default={},
        description="USD that a unit of each currency is worth, for a cost deck or a cap in "
        "another one than USD.",
    )

    @field_validator("usd_per")
    @classmethod
    def _names_currencies(cls, usd_per: dict[str, Decimal]) -> dict[str, Decimal]:
        if wrong := [name for name in usd_per if not re.fullmatch(r"[A-Z]{3}", name, re.ASCII)]:
            raise ValueError(f"{wrong[0]!r} is not an ISO 4217 code; write three capital letters")
        return usd_per

    @property
    def in_usd(self) -> dict[str, Decimal]:
        """USD that a unit of each known currency is worth, USD among them."""
        return {**self.usd_per, "USD": Decimal(1)}


class ScoringSettings(Section):
    """How many candidates, from which score on, learned from what."""

    daily_capacity: int = Field(
        default=50, gt=0, description="Cases the fraud team can work in a day."
    )
    sample_size: int = Field(
        default=2,
        ge=0,
        description="Accounts below the threshold that are drawn at random each night and put into "
        "the queue, marked, so that what was missed can be estimated.",
    )
    high_from: float = Field(
        default=0.8, gt=0, le=1, description="Score from which a candidate is in band `high`."
    )
    medium_from: float = Field(
        default=0.4, gt=0, le=1, description="Score from which a candidate is in band `medium`."
    )
    min_blocked: int = Field(
        default=5,
        ge=2,
        description="Blocked accounts needed before a similarity is learned.",
    )
    min_calls: int = Field(
        default=5,
        ge=1,
        description="Calls in 30 days below which an account's behaviour says nothing.",
    )
    seed: int = Field(default=20_260_901, ge=0, description="Seed of everything drawn at random.")
    features_off: tuple[str, ...] = Field(
        default=(), description="Signals that are neither computed nor used."
    )

    @model_validator(mode="after")
    def _bands_are_ordered(self) -> ScoringSettings:
        if self.medium_from >= self.high_from:
            raise ValueError("medium_from must be below high_from")
        return self


RuleName = Literal["test_number", "cost_cap", "concurrent_calls", "new_account_high_risk"]


class RulesSettings(Section):
    """Rules that act beside the model, from the first night on and between nights."""

    off: tuple[RuleName, ...] = Field(
        default=(),
        description="Rules that are not applied; there are `test_number`, `cost_cap`, "
        "`concurrent_calls` and `new_account_high_risk`.",
    )
    report_only: tuple[RuleName, ...] = Field(
        default=(), description="Rules that are applied and reported, but open no case."
    )
    warn_share: float = Field(
        default=0.8, gt=0, le=1, description="Share of `cost.daily_cap` that is a warning."
    )
    plan_caps: dict[str, Decimal] = Field(
        default={},
        description="Daily cap of each plan that has another than `cost.daily_cap`, in "
        "`cost.currency`.",
    )
    quantile: float = Field(
        default=0.999,
        gt=0.5,
        lt=1,
        description="Simultaneous and high-risk calls are too many above this quantile of the "
        "days of accounts of the same plan and age.",
    )
    cap_by_quantile: bool = Field(
        default=False, description="Let that quantile raise the daily cap too, never lower it."
    )
    min_peer_days: int = Field(
        default=1_000,
        ge=1,
        description="Days of such accounts a quantile needs; with fewer, that of the plan counts, "
        "and then that of all.",
    )
    concurrent_at_least: int = Field(
        default=10, ge=2, description="Simultaneous calls that are never too many below this."
    )
    high_risk_at_least: int = Field(
        default=5,
        ge=1,
        description="Calls a day to high-risk destinations that are never too many below this.",
    )
    new_account_days: int = Field(default=30, ge=1, description="Days for which an account is new.")

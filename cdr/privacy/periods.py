"""How long what is kept: the operator's periods, each with the reason for its default.

Only the numbers. Which rows and columns a period is for stands in `rules`.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

ONE_YEAR = 365
SEVEN_YEARS = 2557
"""Seven calendar years with two leap days among them."""


class RetentionSettings(BaseModel):
    """How many days what is kept; `callsieve retention` removes what is older."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address_days: int = Field(
        default=180, ge=1, description="IP addresses, devices and means of payment after their use."
    )
    attempt_days: int = Field(
        default=180, ge=1, description="Unanswered attempts after they were made."
    )
    call_days: int = Field(
        default=ONE_YEAR, ge=1, description="Answered calls after they were made, against fraud."
    )
    billed_days: int = Field(
        default=180,
        ge=1,
        description="Answered calls after their billing period was sealed: as long as the bill can "
        "be contested.",
    )
    unbilled_days: int = Field(
        default=400, ge=1, description="Answered calls whose billing period was never sealed."
    )
    bookkeeping_days: int = Field(
        default=SEVEN_YEARS, ge=1, description="Sealed lines and payments, under book-keeping law."
    )
    closed_account_days: int = Field(
        default=ONE_YEAR, ge=1, description="Details of an account after it was closed or blocked."
    )
    inactive_account_days: int = Field(
        default=90,
        ge=1,
        description="Days without call, event or change of status after which an account's data "
        "is no longer kept against fraud.",
    )
    event_days: int = Field(default=ONE_YEAR, ge=1, description="Sign-ins and the like.")
    message_days: int = Field(default=180, ge=1, description="Counts of message templates.")
    feature_days: int = Field(
        default=180, ge=1, description="Sums of days and signals that scoring made."
    )
    score_days: int = Field(default=ONE_YEAR, ge=1, description="Scores with their reasons.")
    case_days: int = Field(default=ONE_YEAR, ge=1, description="Decided cases and their trail.")
    reject_days: int = Field(default=30, ge=1, description="Records that were set aside.")
    list_days: int = Field(
        default=ONE_YEAR, ge=1, description="Entries of lists after their validity."
    )
    request_days: int = Field(
        default=1095, ge=1, description="Requests of persons after they were answered."
    )
    audit_days: int = Field(
        default=1095, ge=1, description="Details of entries of the audit log; the entries stay."
    )
    export_days: int = Field(
        default=30,
        ge=1,
        description="Answers that `callsieve person access` and `export` wrote to files.",
    )
    inbox_days: int = Field(
        default=30, ge=1, description="Files of the inbox after they were taken in."
    )
    report_days: int = Field(default=90, ge=1, description="Reports of nights.")
    run_days: int = Field(default=ONE_YEAR, ge=1, description="The ledger of runs.")
    model_days: int = Field(
        default=ONE_YEAR, ge=1, description="Models, but champion and challenger, after training."
    )
    temporary_days: int = Field(
        default=1, ge=1, description="What an engine spilled and did not clear away."
    )
    vacuum_days: int = Field(
        default=7,
        ge=0,
        description="Old versions of tables that still hold what was removed; only then it is "
        "gone.",
    )
    ended_hold_days: int = Field(
        default=0, ge=0, description="Days for which a legal hold is still respected after its end."
    )

    @model_validator(mode="before")
    @classmethod
    def _holds_are_laid_by_command(cls, values: dict[str, Any]) -> dict[str, Any]:
        if "legal_holds" in values:
            raise ValueError(
                "legal_holds is no setting any more; lay each hold with `callsieve retention hold "
                "add --account ... --ground ...`, then take the line out"
            )
        return values

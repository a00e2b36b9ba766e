"""One source of call files: its format, clock, country and the way to the account.

A part of the configuration (`cdr.settings`) and read with it. What a reader does with
these is its own business.
"""

from __future__ import annotations

import os
from typing import Literal, Self
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cdr.errors import SettingsError
from cdr.schema import Outcome

AccountFrom = Literal["code", "number", "sip_user", "trunk", "none"]


class Section(BaseModel):
    """A part of the configuration: frozen, and without settings that are not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def known_zone(zone: str) -> str:
    """Refuse what is no IANA time zone."""
    try:
        ZoneInfo(zone)
    except Exception:
        raise ValueError("not an IANA time zone, such as Europe/Berlin") from None
    return zone


class SourceSettings(Section):
    """One switch or proxy that leaves call files."""

    format: str = Field(description="Name of the reader; `callsieve formats` lists them.")
    zone: str = Field(description="IANA zone of the clock that wrote the local times.")
    country: str = Field(
        pattern=r"^[A-Z]{2}$",
        description="ISO 3166-1 alpha-2 code of the country numbers are dialled from.",
    )
    account_from: AccountFrom = Field(
        default="code",
        description=(
            "How a record finds its account: `code` (the record's account code), `number` "
            "(table of number ownership), `sip_user` (user part of the caller), `trunk` "
            "(name of the trunk, looked up in `trunks`), `none`."
        ),
    )
    bare_numbers: Literal["national", "international"] = Field(
        default="national",
        description=(
            "What digits without `+`, `00` or trunk prefix are: numbers as dialled within the "
            "country, or E.164 with its plus left away."
        ),
    )
    outside_line: str = Field(
        default="",
        pattern=r"^[0-9]{0,3}$",
        description=(
            "What is dialled first to get out of this PBX, such as `9` or `0`, where its records "
            "have it in front of the called number. It is taken off where a number or an "
            "emergency number follows; extensions, emergency numbers and numbers written "
            "in full stay as they are."
        ),
    )
    trunks: dict[str, str] = Field(
        default={}, description='Account of each trunk name, for `account_from = "trunk"`.'
    )
    columns: dict[str, str] = Field(
        default={},
        description=(
            "For plain formats: our column = the file's column, where names differ; with braces, "
            'a text of several: `started_at = "{Date} {Time}"`.'
        ),
    )
    constants: dict[str, str] = Field(
        default={},
        description="For plain formats: our column = what every row says, where it says nothing.",
    )
    length_unit: Literal["s", "ms", "min", "clock"] = Field(
        default="s",
        description=(
            "For plain formats: how `duration_s` and `elapsed_s` are written: seconds, "
            "milliseconds, minutes, or as a clock (`01:02:03`, `02:03`)."
        ),
    )
    outcome_from_length: bool = Field(
        default=False,
        description=(
            "For plain formats without a word for the outcome: a call with a length or an answer "
            "time was answered, any other was not."
        ),
    )
    header: tuple[str, ...] = Field(
        default=(),
        description=(
            "Names of the columns, in order, where the file has no line of names: the template of "
            "FreeSWITCH's `mod_cdr_csv` or of a CGRateS export, or a plain CSV without header."
        ),
    )
    clock: Literal["local", "offset", "epoch_s", "epoch_ms", "epoch_us"] | None = Field(
        default=None,
        description=(
            "How the file writes times, where it is not the way of its format: `local` (wall clock "
            "of `zone`), `offset` (with an offset from UTC), or a count since 1970 UTC."
        ),
    )
    time_layouts: tuple[str, ...] = Field(
        default=(),
        description=(
            "Layouts of the times, such as `%d/%m/%Y %H:%M:%S`, tried in turn, where they are not "
            "those of the format. A layout is never guessed."
        ),
    )
    outcomes: dict[str, str] = Field(
        default={},
        description=(
            "For plain formats: what the file calls an outcome = `answered`, `no_answer`, `busy`, "
            "`rejected`, `failed` or `cancelled`."
        ),
    )
    directions: dict[str, Literal["outbound", "inbound", "internal"]] = Field(
        default={}, description="For plain formats: what the file calls a direction = ours."
    )
    media: dict[str, Literal["voice", "video"]] = Field(
        default={},
        description="For plain formats: what the file calls a medium = `voice` or `video`.",
    )
    template: str = Field(
        default="",
        description=(
            "For FreeSWITCH's `mod_cdr_csv`: the template as in `cdr_csv.conf.xml`, or the name of "
            "one it is delivered with: `example`, `sql`, `snom`, `linksys`, `asterisk`."
        ),
    )
    database_url_env: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description=(
            "Environment variable with the address of a proxy's database (`postgresql://...` or "
            "`mysql://...`); its accounting table is read in place of files."
        ),
    )
    database_table: str = Field(
        default="acc",
        pattern=r"^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$",
        description="The table there, with its schema where it needs one.",
    )
    max_call_s: int = Field(
        default=10_800,
        gt=0,
        description="Length in seconds at which the switch cuts a call; such calls are suspect.",
    )

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, zone: str) -> str:
        return known_zone(zone)

    @model_validator(mode="after")
    def _outside_line_is_dialled(self) -> Self:
        if self.outside_line and self.bare_numbers != "national":
            raise ValueError(
                'outside_line: with bare_numbers = "international" nothing is as dialled; leave '
                "one of them out"
            )
        return self

    @field_validator("outcomes")
    @classmethod
    def _outcomes_are_ours(cls, outcomes: dict[str, str]) -> dict[str, str]:
        if wrong := sorted(set(outcomes.values()) - {outcome.value for outcome in Outcome}):
            raise ValueError(f"{', '.join(wrong)}: not one of {', '.join(Outcome)}")
        return outcomes

    @field_validator("time_layouts")
    @classmethod
    def _layouts_are_layouts(cls, layouts: tuple[str, ...]) -> tuple[str, ...]:
        for layout in layouts:
            if not ("%H" in layout or "%T" in layout or "%I" in layout):
                raise ValueError("a layout needs the day and the hour, as `%d/%m/%Y %H:%M`")
            try:
                pl.Series([""]).str.to_datetime(layout, strict=False)
            except pl.exceptions.PolarsError:
                raise ValueError("a layout is not one, such as `%d/%m/%Y %H:%M:%S`") from None
        return layouts

    def database_url(self) -> str | None:
        """Read the address of the database out of the environment; None for files.

        Raises
        ------
        SettingsError
            If the environment does not have the variable.
        """
        if self.database_url_env is None:
            return None
        if not (url := os.environ.get(self.database_url_env)):
            raise SettingsError(
                "database_url_env", [f"the environment has no {self.database_url_env}"]
            )
        return url

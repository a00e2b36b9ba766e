"""The digit for an outside line goes where it was dialled, and stays where it is of a number."""

from __future__ import annotations

import polars as pl
import pytest
from pydantic import ValidationError

from cdr.normalise.outside_line import read_end
from cdr.sources import SourceSettings


def numbers(country: str, outside: str, texts: list[str | None]) -> list[str | None]:
    """Read ends that were dialled: E.164, else what stands for the end."""
    source = SourceSettings(format="f", zone="UTC", country=country, outside_line=outside)
    read = pl.DataFrame({"t": pl.Series(texts, dtype=pl.String)}).select(
        end=read_end(pl.col("t"), source, dialled=True)
    )
    end = pl.col("end").struct
    return read.select(pl.coalesce(end.field("number"), end.field("party"))).to_series().to_list()


@pytest.mark.parametrize(
    ("country", "outside", "dialled", "meant"),
    [
        ("US", "9", "912125550123", "+12125550123"),
        ("US", "9", "92125550123", "+12125550123"),
        ("US", "9", "9011442079460018", "+442079460018"),
        ("US", "9", "9911", "911"),
        ("US", "9", "sip:912125550123@pbx.example;user=phone", "+12125550123"),
        ("US", "9", '"Front desk" <912125550123>', "+12125550123"),
        ("GB", "9", "902079460018", "+442079460018"),
        ("GB", "9", "9999", "999"),
        ("DE", "0", "00301234567", "+49301234567"),
        ("DE", "0", "0030 1234567", "+49301234567"),
        ("DE", "0", "000442079460018", "+442079460018"),
        ("DE", "0", "0015712345678", "+4915712345678"),  # +1 571 234 5678 as it stands
        ("DE", "0", "0112", "112"),
        ("DE", "9", "90301234567", "+49301234567"),
        ("ES", "0", "0912345678", "+34912345678"),
        ("IT", "0", "03471234567", "+393471234567"),
        ("AU", "0", "0000", "000"),
        ("DE", "88", "880301234567", "+49301234567"),
    ],
)
def test_what_was_dialled_behind_it_is_the_number(
    country: str, outside: str, dialled: str, meant: str
) -> None:
    assert numbers(country, outside, [dialled]) == [meant]


@pytest.mark.parametrize(
    ("country", "outside", "written", "meant"),
    [
        ("US", "9", "9001", "9001"),
        ("US", "9", "95550123", "95550123"),
        ("US", "9", "911", "911"),
        ("US", "9", "2125550123", "+12125550123"),
        ("US", "9", "+912125550123", "+912125550123"),
        ("US", "9", "9", "9"),
        ("US", "9", "*99", "*99"),
        ("GB", "9", "999", "999"),
        ("AU", "0", "000", "000"),
        ("DE", "0", "0300", "0300"),
        ("DE", "0", "0301234567", "+49301234567"),
        ("DE", "0", "00493012345678", "+493012345678"),
        ("DE", "0", "301234567", "+49301234567"),
        ("DE", "9", "9131123456", "+499131123456"),
        ("NL", "0", "0201234567", "+31201234567"),
    ],
)
def test_what_begins_with_it_by_itself_is_not_cut(
    country: str, outside: str, written: str, meant: str
) -> None:
    assert numbers(country, outside, [written]) == [meant]


def test_rows_stay_in_their_places() -> None:
    texts = ["9001", "92125550123", None, "anonymous", "+442079460018", "9911"]
    assert numbers("US", "9", texts) == [
        "9001", "+12125550123", None, None, "+442079460018", "911",
    ]  # fmt: skip


def test_the_caller_did_not_dial_itself() -> None:
    source = SourceSettings(format="f", zone="UTC", country="DE", outside_line="9")
    caller = pl.DataFrame({"t": ["90301234567"]}).select(
        end=read_end(pl.col("t"), source, dialled=False)
    )
    assert caller["end"].struct.field("number").to_list() != ["+49301234567"]


def test_where_nothing_is_as_dialled_there_is_no_outside_line() -> None:
    with pytest.raises(ValidationError, match="nothing is as dialled"):
        SourceSettings(
            format="f", zone="UTC", country="US", outside_line="9", bare_numbers="international"
        )

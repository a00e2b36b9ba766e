"""Data lies in the regions that the operator named, and an address elsewhere is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdr import Lake, Settings
from cdr.errors import WrongUse
from cdr.object_store import ObjectStoreSettings
from cdr.residency import ResidencySettings, check_residency

LAKE = "s3://calls/lake"


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("store", "regions"),
    [
        pytest.param({"region": "eu-central-1"}, None, id="default"),
        pytest.param({"region": "us-east-1"}, ("us-*",), id="named"),
        pytest.param({"endpoint": "https://s3.fsn1.example.com", "region": "fsn1"}, ("fsn1",),
                     id="of-another-provider"),
        pytest.param({"endpoint": "http://127.0.0.1:9000"}, None, id="this-machine"),
        pytest.param({"endpoint": "https://s3.eu-west-3.amazonaws.com"}, None, id="by-endpoint"),
    ],
)  # fmt: skip
def test_an_address_within_the_regions_is_taken(
    store: dict[str, str], regions: tuple[str, ...] | None
) -> None:
    allowed = ResidencySettings() if regions is None else ResidencySettings(regions=regions)
    check_residency(ObjectStoreSettings(address=LAKE, **store), allowed)


@pytest.mark.parametrize(
    ("store", "regions"),
    [
        pytest.param({"region": "us-east-1"}, None, id="america"),
        pytest.param({"region": "eu-west-2"}, None, id="london-is-not-in-the-eu"),
        pytest.param({}, None, id="where-aws-puts-it-when-nothing-is-said"),
        pytest.param({"region": "eu-central-1"}, (), id="no-region-allowed"),
        pytest.param({"endpoint": "https://s3.example.com"}, None, id="nobody-knows-where"),
        pytest.param({"endpoint": "https://s3.us-west-2.amazonaws.com", "region": "eu-west-1"},
                     None, id="endpoint-elsewhere"),
    ],
)  # fmt: skip
def test_an_address_outside_is_refused(
    store: dict[str, str], regions: tuple[str, ...] | None
) -> None:
    allowed = ResidencySettings() if regions is None else ResidencySettings(regions=regions)
    with pytest.raises(WrongUse, match=r"region"):
        check_residency(ObjectStoreSettings(address=LAKE, **store), allowed)


def test_no_lake_is_opened_outside_the_regions(tmp_path: Path) -> None:
    elsewhere = ObjectStoreSettings(address=LAKE, region="us-east-1")
    with pytest.raises(WrongUse, match=r"residency\.regions"):
        Lake(Settings(home=tmp_path, object_store=elsewhere))

"""Where data may lie: the regions that the operator named, and no other."""

from __future__ import annotations

from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from cdr.errors import WrongUse
from cdr.object_store import ObjectStoreSettings

EEA_REGIONS = (
    "eu-central-1", "eu-west-1", "eu-west-3", "eu-north-1", "eu-south-1", "eu-south-2",
    "eusc-de-*",
)  # fmt: skip
"""Regions of AWS in the EU: Frankfurt, Ireland, Paris, Stockholm, Milan, Spain, and its sovereign
cloud. Not London (eu-west-2) and not Zurich (eu-central-2): those are `eu` by name only."""


class ResidencySettings(BaseModel):
    """Where data may lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    regions: tuple[str, ...] = Field(
        default=EEA_REGIONS,
        description="Regions of an object store in which data may lie, `*` for any letters; an "
        "address in another one is refused. The default is AWS's regions in the EU; name those of "
        "your provider.",
    )


def check_residency(store: ObjectStoreSettings, allowed: ResidencySettings) -> None:
    """Refuse an object store that lies, or may lie, outside the allowed regions.

    A store on this machine lies where the machine does.

    Raises
    ------
    WrongUse
        If its region is another, or is not known.
    """
    if not store.address or urlsplit(store.endpoint).hostname in ("localhost", "127.0.0.1", "::1"):
        return
    region = store.data_region
    if region is None:
        raise WrongUse(
            "object_store.region does not say where the bucket lies, and residency.regions "
            "allows some regions only; name the region"
        )
    if not any(fnmatchcase(region, one) for one in allowed.regions):
        raise WrongUse(
            f"the object store lies in {region}; residency.regions allows "
            f"{', '.join(allowed.regions) or 'none'}"
        )

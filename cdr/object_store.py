"""How an object store is reached: its address, endpoint, region and credentials.

Credentials come from the environment or from a file that only its owner may read,
never from the settings, and are never shown.
"""

from __future__ import annotations

import configparser
import os
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cdr.errors import WrongUse

SCHEME = "s3://"

_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
"""What AWS's own tools call credentials, in their files and, in capitals, the environment."""

_ELSEWHERE = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables by which a cluster tells where credentials are fetched."""

_AWS_DEFAULT_REGION = "us-east-1"
"""AWS's own: the region it means where none is named."""

_AWS_HOST = re.compile(r"(?:^|\.)s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com")


class ObjectStoreSettings(BaseModel):
    """An object store that holds the lake, in place of a folder of this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str = Field(
        default="",
        pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._=-]+)*/?)?$",
        description="`s3://bucket/prefix` of the lake, also given as `home`; empty: the lake lies "
        "in the home folder. Models, reports, the inbox and the queue stay in that folder.",
    )
    endpoint: str = Field(
        default="",
        pattern=r"^(https?://[^/@\s?#]+/?)?$",
        description="Address of the store's S3 interface, where it is not AWS's own.",
    )
    region: str = Field(
        default="",
        pattern=r"^[a-z0-9-]*$",
        description="Region the bucket lies in; empty: what AWS_REGION says.",
    )
    credentials_file: Path | None = Field(
        default=None,
        description="File with `aws_access_key_id` and `aws_secret_access_key`, as AWS's own tools "
        "write it, readable by its owner only. Without it AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY are taken from the environment, or the machine's own role is used.",
    )
    profile: str = Field(default="default", description="Section of the credentials file.")
    allow_http: bool = Field(
        default=False,
        description="Let rows and credentials travel unencrypted to another machine.",
    )
    options: dict[str, str] = Field(
        default={},
        description="More options of the client that delta-rs and Polars share, such as "
        '`aws_server_side_encryption = "aws:kms"`; no credentials.',
    )
    lease_s: int = Field(
        default=30,
        ge=3,
        le=600,
        description="Seconds after which another machine goes on when a writer was killed.",
    )

    @field_validator("options")
    @classmethod
    def _options_hold_no_secret(cls, options: dict[str, str]) -> dict[str, str]:
        if any(re.search(r"key_id|secret|token|password|conditional_put", name.lower())
               for name in options):  # fmt: skip
            raise ValueError("credentials belong into the environment or `credentials_file`")
        return options

    @model_validator(mode="after")
    def _others_are_reached_encrypted(self) -> ObjectStoreSettings:
        url = urlsplit(self.endpoint)
        if url.scheme == "http" and not self.allow_http and not _of_this_machine(url.hostname):
            raise ValueError(
                "endpoint without TLS on another machine; use https://, or allow_http = true"
            )
        return self

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return urlsplit(self.address).netloc

    @property
    def prefix(self) -> str:
        """What every object's name begins with, without slashes at its ends."""
        return urlsplit(self.address).path.strip("/")

    @property
    def data_region(self) -> str | None:
        """Region the bucket lies in, as its address and the settings say; None where unknown.

        AWS answers a request only in the bucket's own region, so what stands here is where
        the rows lie. Of other stores it is what the operator declared.
        """
        endpoint = self._endpoint()
        if found := _AWS_HOST.search(urlsplit(endpoint).hostname or ""):
            return found[1]
        return self._region() or (None if endpoint else _AWS_DEFAULT_REGION)

    def client_options(self) -> dict[str, str]:
        """Return the options by which delta-rs, Polars and obstore reach the store.

        Raises
        ------
        WrongUse
            If there are no credentials, or their file may be read by others.
        """
        endpoint = self._endpoint()
        credentials = self._credentials()
        if not credentials and endpoint and not any(map(os.environ.get, _ELSEWHERE)):
            raise WrongUse(
                "no credentials for the object store: set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or object_store.credentials_file in the settings"
            )
        found = {"aws_region": self._region() or _AWS_DEFAULT_REGION, **credentials}
        if endpoint:
            found["aws_endpoint"] = endpoint.rstrip("/")
            found["allow_http"] = str(urlsplit(endpoint).scheme == "http").lower()
        return found | self.options

    def _endpoint(self) -> str:
        return self.endpoint or os.environ.get("AWS_ENDPOINT_URL", "")

    def _region(self) -> str:
        env = os.environ
        return self.region or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or ""

    def _credentials(self) -> dict[str, str]:
        if self.credentials_file is None:
            found = {name: os.environ.get(name.upper(), "") for name in _KEYS}
        else:
            found = _keys_of(self.credentials_file, self.profile)
        return {name: value for name, value in found.items() if value}


def _of_this_machine(host: str | None) -> bool:
    return host in ("localhost", "::1") or bool(host and host.startswith("127."))


def _keys_of(file: Path, profile: str) -> dict[str, str]:
    where = f"object_store.credentials_file ({file.name})"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise WrongUse(f"{where} may be read by others on this machine; chmod 600 it")
        parser.read_string(file.read_text("utf-8"))
        section = parser[profile]
    except (OSError, UnicodeDecodeError):
        raise WrongUse(f"{where} is not there or cannot be read") from None
    except (configparser.Error, KeyError):
        raise WrongUse(f"{where} has no section [{profile}] with credentials") from None
    found = {name: section.get(name, "") for name in _KEYS}
    if not all(found[name] for name in _KEYS[:2]):
        raise WrongUse(f"{where} lacks {' or '.join(_KEYS[:2])} in [{profile}]")
    return found

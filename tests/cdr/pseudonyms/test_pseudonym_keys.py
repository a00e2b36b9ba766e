"""Keys lie outside the home, for their owner only, and are never shown."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cdr.errors import StorageFailed, WrongUse
from cdr.pseudonyms import KeyFolder


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "home-keys", tmp_path / "home")


def test_the_first_key_is_made_for_its_owner_only(folder: KeyFolder) -> None:
    before = os.umask(0)
    try:
        folder.current()
    finally:
        os.umask(before)

    (file,) = folder.root.iterdir()
    assert (folder.root.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_key_stays_until_it_is_rotated_and_is_kept_after(folder: KeyFolder) -> None:
    first = folder.current()
    assert folder.current() == first

    second = folder.rotate()

    assert second.secret != first.secret
    assert folder.current() == second
    assert folder.all() == [first, second]


def test_a_key_does_not_show_its_secret(folder: KeyFolder) -> None:
    key = folder.current()
    assert key.secret not in repr(key)
    assert key.fingerprint not in key.secret or len(key.fingerprint) == 4


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o720])
def test_a_folder_that_others_can_reach_is_refused(folder: KeyFolder, mode: int) -> None:
    folder.current()
    folder.root.chmod(mode)

    with pytest.raises(WrongUse, match="chmod 700"):
        folder.current()
    with pytest.raises(WrongUse, match="chmod 700"):
        folder.rotate()


def test_a_key_that_others_can_read_is_refused(folder: KeyFolder) -> None:
    folder.current()
    (file,) = folder.root.iterdir()
    file.chmod(0o640)

    with pytest.raises(WrongUse, match="chmod 600"):
        folder.current()


def test_a_link_is_no_key(folder: KeyFolder, tmp_path: Path) -> None:
    folder.current()
    (file,) = folder.root.iterdir()
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(WrongUse, match="not a plain file"):
        folder.current()


def test_a_damaged_key_is_named_but_not_quoted(folder: KeyFolder) -> None:
    secret = folder.current().secret
    (file,) = folder.root.iterdir()
    file.write_text(secret[:-1])

    with pytest.raises(WrongUse, match="restore it from a backup") as refused:
        folder.current()
    assert secret[:-1] not in str(refused.value)


def test_keys_may_not_lie_within_the_home(tmp_path: Path) -> None:
    inside = KeyFolder(tmp_path / "elsewhere" / ".." / "home" / "keys", tmp_path / "home")

    with pytest.raises(WrongUse, match="within the home"):
        inside.current()
    assert not (tmp_path / "home").exists()


def test_a_key_that_found_no_room_leaves_nothing(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=8,mode=700", "tmpfs", str(full)]
    if subprocess.run(words, capture_output=True).returncode:
        pytest.skip("may not mount")
    try:
        (full / "other").write_bytes(bytes(4096))
        folder = KeyFolder(full, tmp_path / "home")
        with pytest.raises(StorageFailed, match="writing a key: the disk is full"):
            folder.current()
        assert [file.name for file in full.iterdir()] == ["other"]
        (full / "other").unlink()
        assert folder.current() == folder.current()
    finally:
        subprocess.run(["umount", full], check=True)

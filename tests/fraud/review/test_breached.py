"""A password is found in a list of a billion hashes, and only if it is there."""

from __future__ import annotations

from hashlib import sha1
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.errors import WrongUse
from fraud.review.breached import is_breached


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("breached") / "list.txt"


def listed(passwords: set[str], *, end: str = "\n", count: str = ":7") -> str:
    hashes = sorted(sha1(one.encode()).hexdigest().upper() for one in passwords)
    return "".join(f"{one}{count}{end}" for one in hashes)


@given(
    st.sets(st.text(max_size=8), max_size=40),
    st.text(max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", ":7", ":10434004"]),
)
def test_what_is_in_the_list_is_found_and_nothing_else(
    file: Path, passwords: set[str], other: str, end: str, count: str
) -> None:
    file.write_bytes(listed(passwords, end=end, count=count).encode())
    assert all(is_breached(one, file) for one in passwords)
    assert is_breached(other, file) == (other in passwords)


def test_the_last_line_may_lack_its_end(file: Path) -> None:
    file.write_text(listed({"a", "b", "c"}).removesuffix("\n"))
    assert all(is_breached(one, file) for one in "abc")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("secret\n" * 50, id="passwords-in-clear"),
        pytest.param("0" * 10_000, id="one-long-line"),
        pytest.param(f"{'A' * 32}:1\n" * 50, id="ntlm-hashes"),
    ],
)
def test_a_file_of_another_kind_is_said_and_not_quoted(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(WrongUse, match="is not a list of SHA-1 hashes") as refused:
        is_breached("secret", file)
    assert "secret" not in str(refused.value)

"""An address has one form, whatever the switch added."""

from __future__ import annotations

import ipaddress

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.normalise.addresses import canonical_ip


def canonical(text: str | None) -> str | None:
    frame = pl.DataFrame({"t": [text]}, schema={"t": pl.String})
    found: str | None = frame.select(canonical_ip(pl.col("t")))["t"][0]
    return found


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:5060 ", "192.0.2.1"),
        ("[2001:db8::1]:5061", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("2001%3Adb8%3A%3A1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.0/24", "192.0.2.0"),
    ],
)
def test_port_brackets_scope_and_mapping_go(text: str, address: str) -> None:
    assert canonical(text) == address


@pytest.mark.parametrize("text", [None, "", "pbx.example.net", "256.1.1.1", "1.2.3", ":::", "1:2"])
def test_what_is_no_address_is_null(text: str | None) -> None:
    assert canonical(text) is None


@given(st.ip_addresses())
def test_every_address_reads_as_the_standard_library_writes_it(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert canonical(str(address)) == str(mapped or address)

"""An address has one form, whatever the switch added; its kind and country are known."""

from __future__ import annotations

import ipaddress

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.normalise.addresses import canonical_ip, ip_country, normalise_ip


def ip_kind(text: pl.Expr) -> pl.Expr:
    return normalise_ip(text).struct.field("ip_kind").name.keep()


def canonical(text: str | None) -> str | None:
    return column(text, canonical_ip)


def column(text: str | None, read) -> str | None:
    frame = pl.DataFrame({"t": [text]}, schema={"t": pl.String})
    found: str | None = frame.select(read(pl.col("t")))["t"][0]
    return found


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:5060 ", "192.0.2.1"),
        ("[2001:db8::1]:5061", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("2001%3Adb8%3A%3A1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:5060", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:192.0.2.1:5060", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:5060", "192.0.2.1"),
        ("0:0:0:0:0:ffff:c000:201", "192.0.2.1"),
        ("192.0.2.0/24", "192.0.2.0"),
        ("udp:192.0.2.1:5060", "192.0.2.1"),
        ("sip:bob@192.0.2.1:5060;transport=tls", "192.0.2.1"),
        ("<sips:[2001:db8::1]:5061>", "2001:db8::1"),
    ],
)
def test_whatever_stands_around_an_address_goes(text: str, address: str) -> None:
    assert canonical(text) == address


@pytest.mark.parametrize(
    "text",
    [None, "", "pbx.example.net", "256.1.1.1", "010.0.0.1", "1.2.3", "1.2.3.4.5", ":::", "1:2",
     "sip:bob@pbx.example.net", "12:30:45", "192.0.2.1 192.0.2.2"],
)  # fmt: skip
def test_what_is_no_address_is_null(text: str | None) -> None:
    assert [column(text, read) for read in (canonical_ip, ip_kind, ip_country)] == [None] * 3


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("9.255.255.255", "public"), ("10.0.0.0", "private"), ("10.255.255.255", "private"),
        ("100.63.255.255", "public"), ("100.64.0.0", "carrier_nat"),
        ("100.127.255.255", "carrier_nat"), ("100.128.0.0", "public"),
        ("172.15.255.255", "public"), ("172.16.0.0", "private"), ("172.31.255.255", "private"),
        ("172.32.0.0", "public"), ("192.168.0.1", "private"), ("192.169.0.1", "public"),
        ("127.0.0.1", "loopback"), ("169.254.1.1", "link_local"), ("0.0.0.0", "reserved"),
        ("198.51.100.7", "reserved"), ("224.0.0.1", "reserved"), ("255.255.255.255", "reserved"),
        ("::ffff:10.0.0.1", "private"), ("::ffff:a00:1", "private"),
        ("::1", "loopback"), ("::", "reserved"), ("fe80::1", "link_local"), ("fd00::1", "private"),
        ("2001:db8::1", "reserved"), ("2a00:1450::1", "public"), ("64:ff9b::808:808", "public"),
        ("ff02::1", "reserved"), ("4000::1", "reserved"),
    ],
)  # fmt: skip
def test_private_carrier_nat_and_other_special_addresses_are_marked(
    address: str, kind: str
) -> None:
    assert column(address, ip_kind) == kind


def test_a_public_address_has_the_country_it_was_given_to() -> None:
    texts = ["8.8.8.8:5060", "::ffff:8.8.8.8", "193.0.6.139", "2001:67c:2e8::1", "10.0.0.1",
             "100.64.0.1", "2001:db8::1", None]  # fmt: skip
    found = pl.DataFrame({"t": texts}).select(ip_country(pl.col("t")))["t"].to_list()
    assert found == ["US", "US", "NL", "NL", None, None, None, None]


def test_a_column_without_any_address_is_null_throughout() -> None:
    frame = pl.DataFrame({"t": [None, None]}, schema={"t": pl.String})
    found = frame.select(normalise_ip(pl.col("t")))["t"].struct.unnest()
    assert found.rows() == [(None, None, None)] * 2


@given(st.ip_addresses())
def test_every_address_reads_as_the_standard_library_writes_it(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert canonical(str(address)) == str(mapped or address)


@given(st.ip_addresses(v=4))
def test_what_the_standard_library_calls_global_is_public(address: ipaddress.IPv4Address) -> None:
    public = column(str(address), ip_kind) == "public"
    assert public == (address.is_global and not address.is_multicast) or address in _ANYCAST


_ANYCAST = ipaddress.ip_network("192.0.0.0/24")
"""Two of its addresses are global to the library; no registry gives them to anybody."""

"""IP addresses in one form, whatever the switch added to them, and what is known of each.

Countries come from the registries' own lists of whom they gave an address to
(package `iptocc`, made anew from the registries every night); what an address has to
do with a call is the business of others.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from ipaddress import AddressValueError, IPv4Network, IPv6Address, IPv6Network

import numpy as np
import polars as pl
from iptocc import country_code

from cdr.memory import Memory
from cdr.schema import CODES


class IpKind(StrEnum):
    """Where an address means something."""

    PUBLIC = "public"  # on the whole internet
    PRIVATE = "private"  # inside one network: RFC 1918, fc00::/7 of RFC 4193
    CARRIER_NAT = "carrier_nat"  # 100.64.0.0/10: shared by customers of an access network, RFC 6598
    LOOPBACK = "loopback"  # the machine itself
    LINK_LOCAL = "link_local"  # on one cable
    RESERVED = "reserved"  # documentation, multicast, unspecified and whatever no one may use


_SPECIAL_V4 = {
    "0.0.0.0/8": IpKind.RESERVED,
    "10.0.0.0/8": IpKind.PRIVATE,
    "100.64.0.0/10": IpKind.CARRIER_NAT,
    "127.0.0.0/8": IpKind.LOOPBACK,
    "169.254.0.0/16": IpKind.LINK_LOCAL,
    "172.16.0.0/12": IpKind.PRIVATE,
    "192.0.0.0/24": IpKind.RESERVED,
    "192.0.2.0/24": IpKind.RESERVED,
    "192.168.0.0/16": IpKind.PRIVATE,
    "198.18.0.0/15": IpKind.RESERVED,
    "198.51.100.0/24": IpKind.RESERVED,
    "203.0.113.0/24": IpKind.RESERVED,
    "224.0.0.0/3": IpKind.RESERVED,
}
"""IANA, IPv4 Special-Purpose Address Registry (RFC 6890), and multicast (RFC 5771)."""

_SPECIAL_V6 = {
    IPv6Network("::/128"): IpKind.RESERVED,
    IPv6Network("::1/128"): IpKind.LOOPBACK,
    IPv6Network("64:ff9b::/96"): IpKind.PUBLIC,
    IPv6Network("fc00::/7"): IpKind.PRIVATE,
    IPv6Network("fe80::/10"): IpKind.LINK_LOCAL,
    IPv6Network("2001:db8::/32"): IpKind.RESERVED,
    IPv6Network("3fff::/20"): IpKind.RESERVED,
    IPv6Network("2000::/3"): IpKind.PUBLIC,
}
"""IANA, IPv6 Special-Purpose Address Registry; the first that holds it counts. Outside
2000::/3 nothing else is allocated (RFC 4291, section 2.4)."""

IP = pl.Struct({"ip": pl.String(), "ip_kind": CODES, "ip_country": CODES})

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_V4 = rf"^(?:{_OCTET}\.){{3}}{_OCTET}$"
_NO_COUNTRY = ("EU", "AP", "ZZ")
"""Codes of registries for no country: Europe, Asia-Pacific, not known."""


def normalise_ip(text: pl.Expr) -> pl.Expr:
    """Read an address: its one form, its kind and the country it was given to.

    Parameters
    ----------
    text : Expr of String
        v4 or v6, as text or URL-encoded; a port, brackets, a zone (`%eth0`), a prefix
        length, a transport (`udp:`) or a SIP URI around it go.

    Returns
    -------
    Expr of Struct, see `IP`
        `ip` is dotted v4 (also for v4-mapped v6), or v6 as RFC 5952 has it; null where
        it is no address. `ip_kind` is an `IpKind`. `ip_country`, ISO 3166-1 alpha-2, is
        where the address is registered, which need not be where it is used; null for
        addresses that are not public and those no registry gave to a country.

    Examples
    --------
    >>> ips = pl.DataFrame({"t": ["[::ffff:9.9.9.9]:5060", "100.64.0.7", "fe80::1%eth0", "x"]})
    >>> for address in ips.select(normalise_ip(pl.col("t")))["t"]:
    ...     print(address["ip"], address["ip_kind"])
    9.9.9.9 public
    100.64.0.7 carrier_nat
    fe80::1 link_local
    None None
    """
    return text.map_batches(_memory().of, return_dtype=IP, is_elementwise=True)


def canonical_ip(text: pl.Expr) -> pl.Expr:
    """Write an address in its one form; null where it is none. See `normalise_ip`.

    Examples
    --------
    >>> ips = pl.DataFrame({"ip": ["10.0.0.1:5060", "[2001:DB8::1]:5060", "%3A%3A1", "x"]})
    >>> ips.select(canonical_ip(pl.col("ip")))["ip"].to_list()
    ['10.0.0.1', '2001:db8::1', '::1', None]
    """
    return normalise_ip(text).struct.field("ip").name.keep()


def ip_country(text: pl.Expr) -> pl.Expr:
    """Return the country a public address was given to, else null. See `normalise_ip`."""
    return normalise_ip(text).struct.field("ip_country").name.keep()


@cache
def _memory() -> Memory:
    return Memory(_read)


def _read(texts: pl.Series) -> pl.Series:
    """Read each of some texts as an `IP`."""
    dressed = (~texts.str.contains(_V4)).arg_true()  # most are v4 and nothing else
    bare = pl.DataFrame({"ip": texts.gather(dressed)}).select(_bare(pl.col("ip")))["ip"]
    no_v4 = dressed.filter(~bare.str.contains(_V4))
    ip = texts.clone().scatter(dressed, bare)
    v6 = [_read_v6(text) for text in ip[no_v4]]
    ip = ip.scatter(no_v4, [address for address, _ in v6])
    kind = _kinds_of_v4(ip)
    kind = kind.scatter(
        no_v4, [of_v6 or of_v4 for (_, of_v6), of_v4 in zip(v6, kind[no_v4], strict=True)]
    )
    public = (kind == IpKind.PUBLIC.value).fill_null(value=False).arg_true()
    found = [None if code in _NO_COUNTRY else code for code in country_code(ip[public].to_list())]
    country = pl.Series([None], dtype=pl.String).new_from_index(0, ip.len()).scatter(public, found)
    read = pl.DataFrame({"ip": ip, "ip_kind": kind, "ip_country": country})
    return read.cast({"ip_kind": CODES, "ip_country": CODES}).to_struct()


def _bare(text: pl.Expr) -> pl.Expr:
    """Take away what a switch puts around an address."""
    return (
        text.str.strip_chars(" \t\"'<>")
        .str.replace_all("(?i)%3a", ":")
        .str.replace(r"(?i)^(?:sips?|udp|tcp|tls|wss?|sctp):(?:[^@]*@)?", "")
        .str.replace(r"[;?].*$", "")
        .str.replace(r"^\[([^\]]*)\](?::\d+)?$", "$1")
        .str.replace(r"(\.\d+):\d+$", "$1")
        .str.replace(r"(?i)^::ffff:(\d+\.\d+\.\d+\.\d+)$", "$1")
        .str.replace(r"[%/].*$", "")
    )


def _kinds_of_v4(addresses: pl.Series) -> pl.Series:
    """Tell the kind of dotted v4 addresses; null for whatever else is there."""
    octets = addresses.set(~addresses.str.contains(_V4), None).str.split_exact(".", 3)
    number = sum(
        (octets.struct.field(f"field_{at}").cast(pl.Int64) * 256 ** (3 - at) for at in range(4)),
        start=pl.Series([0]),
    )
    at = np.searchsorted(_V4_STARTS, number.fill_null(0).to_numpy(), side="right")
    return pl.Series(_V4_KINDS, dtype=pl.String)[at - 1].set(number.is_null(), None)


def _v4_ranges() -> tuple[list[int], list[str]]:
    """Cut the v4 space into ranges of one kind each: their starts and kinds."""
    starts: dict[int, str] = {0: IpKind.PUBLIC.value}
    for network, kind in _SPECIAL_V4.items():
        held = IPv4Network(network)
        starts[int(held.network_address)] = kind.value
        starts.setdefault(int(held.broadcast_address) + 1, IpKind.PUBLIC.value)
    ordered = sorted(starts.items())
    return [start for start, _ in ordered], [kind for _, kind in ordered]


_V4_STARTS, _V4_KINDS = _v4_ranges()


def _read_v6(text: str) -> tuple[str | None, str | None]:
    """Read one v6 address: its one form and its kind; no kind where it stands for a v4 one."""
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return None, None
    if address.ipv4_mapped:
        return str(address.ipv4_mapped), None
    kinds = (kind for network, kind in _SPECIAL_V6.items() if address in network)
    return str(address), next(kinds, IpKind.RESERVED).value

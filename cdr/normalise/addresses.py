"""IP addresses in one form, whatever the switch added to them."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address

import polars as pl

_V4 = r"^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$"


def canonical_ip(text: pl.Expr) -> pl.Expr:
    """Write an address in its short form, without port, brackets or scope.

    Parameters
    ----------
    text : Expr of String
        v4 or v6, as text, URL-encoded, with a port or in brackets.

    Returns
    -------
    Expr of String
        Dotted v4 (also for v4-mapped v6), or v6 as RFC 5952 has it; null where it is
        no address.

    Examples
    --------
    >>> ips = pl.DataFrame({"ip": ["10.0.0.1:5060", "[2001:DB8::1]:5060", "%3A%3A1", "x"]})
    >>> ips.select(canonical_ip(pl.col("ip")))["ip"].to_list()
    ['10.0.0.1', '2001:db8::1', '::1', None]
    """
    bare = (
        text.str.strip_chars()
        .str.replace_all("(?i)%3a", ":")
        .str.replace(r"^\[([^\]]*)\](:\d+)?$", "$1")
        .str.replace(r"^(\d+\.\d+\.\d+\.\d+):\d+$", "$1")
        .str.replace(r"(?i)^::ffff:(\d+\.\d+\.\d+\.\d+)$", "$1")
        .str.replace(r"[%/].*$", "")
    )
    v6 = pl.when(bare.str.contains(":", literal=True)).then(bare)
    return (
        pl.when(bare.str.contains(_V4))
        .then(bare)
        .otherwise(v6.map_batches(_short_v6, return_dtype=pl.String, is_elementwise=True))
    )


def _short_v6(texts: pl.Series) -> pl.Series:
    """Shorten v6 addresses; Python reads each distinct one, of which there are few."""
    distinct = texts.drop_nulls().unique().to_list()
    return texts.replace_strict(
        distinct, [_read_v6(text) for text in distinct], default=None, return_dtype=pl.String
    )


def _read_v6(text: str) -> str | None:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return None
    return str(address.ipv4_mapped or address)

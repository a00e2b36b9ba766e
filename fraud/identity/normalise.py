"""Account details made comparable: what two spellings of the same thing have in common.

Pure expressions over text. A value that says nothing (empty, a placeholder, a
private address) becomes none. Not here: what an agreement is worth.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from fraud.identity.details import KEYED

KEYS = tuple(level.key for level in KEYED)
KEY = pl.Enum(KEYS)
HELD = pl.Schema({"account_id": pl.String(), "key": KEY, "value": pl.String()})
"""One row per account, key and value."""

MOST_CHARS = 256
"""Longer text is cut. Ours: no real detail is longer, and hostile ones must not cost time."""

_PLACEHOLDERS = ("", "-", "n/a", "na", "none", "null", "unknown", "test", "xxx")

_PRIVATE = (
    r"^(10\.|127\.|0\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\."
    r"|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|::1$|f[cd]|fe80)"
)
"""RFC 1918, RFC 6598 (carrier NAT), RFC 4193, loopback and link-local: shared by strangers."""

_LEAST_CHARS = {
    "name": 2,
    "email_local": 5,
    "email_stem": 6,
    "address": 6,
    "id_document": 4,
    "social": 3,
    "payment_fingerprint": 4,
    "devices": 4,
}
"""Shorter values are shared by chance. Ours: `info`, `sales` and the like fall below."""

_ABBREVIATED = {
    "st": "street",
    "str": "street",
    "strasse": "street",
    "rd": "road",
    "ave": "avenue",
    "av": "avenue",
    "blvd": "boulevard",
    "sq": "square",
    "apt": "apartment",
    "no": "",
    "nr": "",
}
"""Words of addresses that are written in two ways; ours, the commonest of English and German."""


def held_values(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return what can be compared of each account, key by key.

    Parameters
    ----------
    accounts : pl.DataFrame
        Columns of `cdr.schema.ACCOUNTS` that `sql/accounts_as_of.sql` gives.

    Returns
    -------
    pl.DataFrame
        Schema :data:`HELD`: each value once per account and key. An account has at
        most one value of a key, save for those made of lists.
    """
    text = ("name", "email", "phone", "address", "id_document", "signup_ip")
    folded = accounts.with_columns(_folded(pl.col(name)) for name in text)
    folded = folded.with_columns(_email(pl.col("email")), _ip(pl.col("signup_ip")))
    local = pl.col("email").str.extract(r"^(.*)@", 1)
    single = folded.select(
        "account_id",
        "email",
        "signup_ip",
        name=_words(pl.col("name")),
        email_local=local,
        email_stem=local.str.replace_all(r"[0-9]", ""),
        phone=_number(pl.col("phone")),
        address=_address(pl.col("address")),
        id_document=_token(pl.col("id_document")),
        network=_network(pl.col("signup_ip")),
    ).unpivot(index="account_id", variable_name="key")
    several = pl.concat(_members(accounts, key, to_value) for key, to_value in _OF_LISTS.items())
    least_chars = pl.col("key").replace_strict(_LEAST_CHARS, default=1, return_dtype=pl.UInt32)
    return (
        pl.concat([single, several])
        .filter(pl.col("value").str.len_chars() >= least_chars)
        .cast({"key": KEY})
    )


def _members(
    accounts: pl.DataFrame, key: str, to_value: Callable[[pl.Expr], pl.Expr]
) -> pl.DataFrame:
    members = accounts.select("account_id", key=pl.lit(key), value=pl.col(key)).explode("value")
    folded = members.with_columns(_folded(pl.col("value").cast(pl.String)))
    return folded.with_columns(value=to_value(pl.col("value"))).unique()


def _folded(text: pl.Expr) -> pl.Expr:
    """Return lower case of one width without accents (NFKD, no marks); null if it says nothing."""
    plain = (
        text.str.slice(0, MOST_CHARS)
        .str.normalize("NFKD")
        .str.replace_all(r"\p{M}", "")
        .str.to_lowercase()
        .str.replace_all("ß", "ss", literal=True)
        .str.strip_chars()
    )
    return pl.when(~plain.is_in(_PLACEHOLDERS)).then(plain)


def _words(text: pl.Expr) -> pl.Expr:
    """Return the words in alphabetical order, so that their order does not matter."""
    spaced = text.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    return spaced.str.split(" ").list.sort().list.join(" ")


def _address(text: pl.Expr) -> pl.Expr:
    """Return the words of an address, abbreviations written out, in alphabetical order."""
    spaced = text.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    words = spaced.str.replace_all(r"(\p{L}{3})str(asse)?\b", "${1} street").str.split(" ")
    full = words.list.eval(pl.element().replace(_ABBREVIATED)).list.sort()
    return full.list.join(" ").str.strip_chars()


def _email(text: pl.Expr) -> pl.Expr:
    """Return an address without tag and without dots in its name; null if it is none.

    Dots and tags are dropped for all providers, though not all ignore them: who owns
    `a.b@` seldom differs from who owns `ab@`.
    """
    local = text.str.extract(r"^([^@+]+)[^@]*@[^@\s]+$", 1).str.replace_all(".", "", literal=True)
    domain = text.str.extract(r"@([^@\s]+)$", 1).str.replace(r"^googlemail\.", "gmail.")
    return local + "@" + domain


def _number(text: pl.Expr) -> pl.Expr:
    """Return a number in E.164; anything else is not comparable."""
    return text.str.replace_all(r"[\s().-]", "").str.extract(r"^(\+[0-9]{7,15})$")


def _token(text: pl.Expr) -> pl.Expr:
    """Return letters and digits of an opaque identifier."""
    return text.str.replace_all(r"[^\p{L}\p{N}]+", "")


def _social(text: pl.Expr) -> pl.Expr:
    """Return a profile without what an address bar puts round it."""
    return text.str.replace(r"^(https?://)?(www\.)?@?", "").str.replace(r"[/?#]+$", "")


def _ip(text: pl.Expr) -> pl.Expr:
    """Return an address that is not private; v6 stays in the short form it has."""
    address = text.str.replace(r"^::ffff:([0-9]+\.)", "${1}")
    known = address.str.contains(r"^[0-9a-f.:]{3,45}$") & ~address.str.contains(_PRIVATE)
    return pl.when(known).then(address)


def _network(address: pl.Expr) -> pl.Expr:
    """Return the /24 of a v4 address, the /48 of a v6 one: what one customer line shares.

    A v6 address whose first 48 bits hold a run of zeros written as `::` has none.
    """
    v4 = address.str.extract(r"^([0-9]+\.[0-9]+\.[0-9]+)\.[0-9]+$", 1)
    v6 = address.str.extract(r"^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+):", 1)
    return pl.coalesce(v4, v6)


_OF_LISTS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "social": _social,
    "payment_fingerprint": _token,
    "devices": _token,
    "forward_to": _number,
}

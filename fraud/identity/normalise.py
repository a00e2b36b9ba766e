"""Account details made comparable: what two spellings of the same thing have in common.

Pure expressions over text. A value that says nothing (empty, a placeholder, a
private address) becomes none. Not here: what an agreement is worth.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from disposable_email_domains import blocklist

from fraud.features.statements import PRIVATE_ADDRESS
from fraud.identity.details import KEYED

KEYS = tuple(level.key for level in KEYED)
KEY = pl.Enum(KEYS)
HELD = pl.Schema({"account_id": pl.String(), "key": KEY, "value": pl.String()})
"""One row per account, key and value."""

MOST_CHARS = 256
"""Longer text is cut. Ours: no real detail is longer, and hostile ones must not cost time."""

_PLACEHOLDERS = ("", "-", "n/a", "na", "none", "null", "unknown", "test", "xxx")

_DISPOSABLE = pl.Series(sorted(blocklist))
"""Domains of throw-away mail providers, of the package disposable-email-domains."""

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


def held_values(accounts: pl.DataFrame, shown: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return what can be compared of each account, key by key.

    Parameters
    ----------
    accounts : pl.DataFrame
        Columns of `cdr.schema.ACCOUNTS` that `sql/accounts_as_of.sql` gives.
    shown : pl.DataFrame, optional
        What events showed besides, as `sql/events_as_of.sql` gives.

    Returns
    -------
    pl.DataFrame
        Schema :data:`HELD`: each value once per account and key. An account has at
        most one value of a key, save for those made of lists.
    """
    text = ("name", "email", "phone", "address", "id_document")
    folded = accounts.with_columns(_folded(pl.col(name)) for name in text)
    folded = folded.with_columns(_email(pl.col("email")))
    local = pl.col("email").str.extract(r"^(.*)@", 1)
    domain = pl.col("email").str.extract(r"@(.*)$", 1)
    disposable = domain.is_in(_DISPOSABLE.implode())
    single = folded.select(
        "account_id",
        "email",
        name=_words(pl.col("name")),
        email_local=local,
        email_stem=local.str.replace_all(r"[0-9]", ""),
        email_domain=pl.when(~disposable).then(domain),
        email_disposable=pl.when(disposable).then(pl.lit("disposable")),
        phone=_number(pl.col("phone")),
        address=_address(pl.col("address")),
        id_document=_token(pl.col("id_document")),
    ).unpivot(index="account_id", variable_name="key")
    several = pl.concat(
        _members(_given(accounts, shown, key), key, to_value) for key, to_value in _SEVERAL.items()
    )
    networks = several.filter(pl.col("key") == "signup_ip").with_columns(
        key=pl.lit("network"), value=_network(pl.col("value"))
    )
    least_chars = pl.col("key").replace_strict(_LEAST_CHARS, default=1, return_dtype=pl.UInt32)
    return (
        pl.concat([single, several, networks.unique()])
        .filter(pl.col("value").str.len_chars() >= least_chars)
        .cast({"key": KEY})
    )


def _given(accounts: pl.DataFrame, shown: pl.DataFrame | None, key: str) -> pl.DataFrame:
    """Return account_id and value, from details and from events."""
    parts = []
    if key in accounts.columns:
        of_details = accounts.select("account_id", value=pl.col(key))
        if isinstance(accounts.schema[key], pl.List):
            of_details = of_details.explode("value")
        parts.append(of_details.cast({"value": pl.String}))
    if shown is not None:
        parts.append(shown.filter(pl.col("key") == key).select("account_id", "value"))
    return pl.concat(parts) if parts else pl.DataFrame(schema=HELD).drop("key")


def _members(given: pl.DataFrame, key: str, to_value: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    folded = given.select("account_id", key=pl.lit(key), value=_folded(pl.col("value")))
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
    return pl.when(local != "").then(local + "@" + domain)


def _number(text: pl.Expr) -> pl.Expr:
    """Return a number in E.164; anything else is not comparable.

    A zero in brackets, as in `+49 (0)30 1`, is dialled within the country only.
    """
    return text.str.replace_all(r"\(0\)|[\s().-]", "").str.extract(r"^(\+[0-9]{7,15})$")


def _token(text: pl.Expr) -> pl.Expr:
    """Return letters and digits of an opaque identifier."""
    return text.str.replace_all(r"[^\p{L}\p{N}]+", "")


def _social(text: pl.Expr) -> pl.Expr:
    """Return a profile without what an address bar puts round it."""
    return text.str.replace(r"^(https?://)?(www\.)?@?", "").str.replace(r"[/?#]+$", "")


def _ip(text: pl.Expr) -> pl.Expr:
    """Return an address that is not private; v6 stays in the short form it has."""
    address = text.str.replace(r"^::ffff:([0-9]+\.)", "${1}")
    known = address.str.contains(r"^[0-9a-f.:]{3,45}$") & ~address.str.contains(PRIVATE_ADDRESS)
    return pl.when(known).then(address)


def _network(address: pl.Expr) -> pl.Expr:
    """Return the /24 of a v4 address, the /48 of a v6 one: what one customer line shares.

    A v6 address whose first 48 bits hold a run of zeros written as `::` has none.
    """
    v4 = address.str.extract(r"^([0-9]+\.[0-9]+\.[0-9]+)\.[0-9]+$", 1)
    v6 = address.str.extract(r"^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+):", 1)
    return pl.coalesce(v4, v6)


_SEVERAL: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "signup_ip": _ip,
    "social": _social,
    "payment_fingerprint": _token,
    "devices": _token,
    "forward_to": _number,
    "counterparts": _number,
}
"""Keys of which an account can have several values, with how these are made comparable."""

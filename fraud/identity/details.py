"""What is compared, in which degrees, and what an agreement is worth at the outset.

The model is that of Fellegi and Sunter: a degree of agreement weighs
log2(m / u) bits, where m is how often two accounts of the same people agree so far,
and u how often two unrelated ones do. Both are learned (`learning`). The m that stands
here is what is learned from: it holds alone where there are too few pairs.

References
----------
Fellegi, I. P. and Sunter, A. B. "A Theory for Record Linkage." Journal of the
American Statistical Association 64 (1969), 1183-1210.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """One degree in which a detail can agree.

    Parameters
    ----------
    key : str
        Key of `normalise.held_values` whose values are the same, or `name_near`.
    m : float
        At the outset, the share of pairs of accounts of the same people that agree in
        this degree and in no stronger one, 0..1.
    words : str
        What they share, in a reason.
    most_holders : int
        A value that more accounts have makes no pair by itself. It still weighs,
        by its rarity, in pairs that another value makes.
    """

    key: str
    m: float
    words: str
    most_holders: int = 50


@dataclass(frozen=True, slots=True)
class Detail:
    """One detail of an account, with its degrees of agreement, the strongest first."""

    name: str
    levels: tuple[Level, ...]


SOFT = 10
"""Holders up to which a value that is shared by chance makes pairs. Ours: a name or a
network that more than ten accounts have joins strangers."""

NEAR_NAME = 0.92
"""Jaro-Winkler similarity from which names are near: the usual first threshold, as in
Splink's own name comparison (scale: Winkler 1990, Proc. Survey Research Methods, 354-359)."""

DETAILS = (
    Detail(
        "name",
        (
            Level("name", 0.10, "the name", SOFT),
            Level("name_near", 0.05, "nearly the name"),
        ),
    ),
    Detail(
        "email",
        (
            Level("email", 0.03, "the e-mail address"),
            Level("email_local", 0.05, "the e-mail name at another provider", SOFT),
            Level("email_stem", 0.07, "the e-mail name but for its digits", SOFT),
            Level("email_domain", 0.03, "the mail domain", SOFT),
            Level("email_disposable", 0.10, "a throw-away mail provider", 0),
        ),
    ),
    Detail("phone", (Level("phone", 0.10, "the telephone number"),)),
    Detail("address", (Level("address", 0.25, "the postal address"),)),
    Detail("id_document", (Level("id_document", 0.10, "the identity document"),)),
    Detail("social", (Level("social", 0.10, "a social-media account"),)),
    Detail("payment_fingerprint", (Level("payment_fingerprint", 0.30, "a means of payment"),)),
    Detail("devices", (Level("devices", 0.35, "a device"),)),
    Detail(
        "signup_ip",
        (
            Level("signup_ip", 0.15, "an IP address"),
            Level("network", 0.10, "an IP network", SOFT),
        ),
    ),
    Detail("forward_to", (Level("forward_to", 0.15, "a number calls are sent on to"),)),
    Detail("counterparts", (Level("counterparts", 0.10, "the other end of a text or change"),)),
)
"""The m of each are ours, set so that people who come back keep about two details and
change the rest (product design, subscription fraud: rings share devices, means of
payment or addresses). A detail that differs therefore takes less than a bit away."""

KEYED = tuple(level for detail in DETAILS for level in detail.levels if level.key != "name_near")
"""The levels that mean the same value, which can be looked up."""

"""How each kind of account calls: one row of parameters for each behaviour.

Only parameters live here, with what they rest on; ``docs/simulator.md`` says the
same for readers. Who has which behaviour is decided in :mod:`.population` and
:mod:`.frauds`; calls are made from it in :mod:`.traffic`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Choice(IntEnum):
    """How the other end of an outbound call is chosen."""

    HABIT = 0  # contacts by rank, heavy-tailed, and now and then someone new
    LIST = 1  # a list, each entry equally likely
    SCAN = 2  # one number after the other


@dataclass(frozen=True, slots=True)
class Profile:
    """Parameters of one behaviour.

    Attributes
    ----------
    name : str
    calls_per_day : float
        Median over accounts of the mean calls a day, both directions.
    spread : float
        Standard deviation of its natural logarithm over accounts.
    curve : str
        Key of :data:`pipelines.simulate.hours.CURVES`.
    mix : str
        Mix of destinations; ``{home}`` and ``{one}`` are filled in by account.
    contacts : int
        Median number of contacts, or entries of the list.
    new_share, inbound_share, internal_share : float
        Shares 0..1 of calls with a number never used before, received, and
        between extensions of the account.
    answered_share, inbound_answered_share : float
        Shares 0..1.
    talk_s, talk_spread : float
        Median answered duration in seconds, and standard deviation of its logarithm.
    talk_max_s : float
        Longest call in seconds.
    short_share : float
        Share 0..1 of answered calls that end within 6 s.
    ring_s : float
        Median ring time in seconds.
    choice : Choice
    run : int
        Consecutive entries of the list that are consecutive numbers.
    attempts : float
        Mean failed attempts that precede a call on other routes.
    anonymous_share : float
        Share 0..1 of calls without caller number.
    """

    name: str
    calls_per_day: float
    spread: float
    curve: str
    mix: str
    contacts: int
    new_share: float = 0.12
    inbound_share: float = 0.42
    internal_share: float = 0.06
    answered_share: float = 0.68
    inbound_answered_share: float = 0.82
    talk_s: float = 95.0
    talk_spread: float = 1.15
    talk_max_s: float = 7200.0
    short_share: float = 0.04
    ring_s: float = 9.0
    choice: Choice = Choice.HABIT
    run: int = 1
    attempts: float = 0.0
    anonymous_share: float = 0.01


# Answered calls: the median of 95 s with log-sd 1.15 gives a mean of 184 s, the mean of
# conversation quoted by product.md (180 s and more). Log-normal durations: Bolotin,
# "Telephone circuit holding time distributions", ITC 14, 1994. Calls follow few contacts
# with a heavy tail: Onnela et al., PNAS 104 (2007). Counts over accounts are heavy-tailed,
# so their logarithm has a wide spread; the medians are ours.
ORDINARY: tuple[Profile, ...] = (
    Profile("office", 5.0, 0.9, "office", "home:{home}", 45),
    Profile("shop", 4.0, 0.8, "shop", "home:{home}", 60, new_share=0.3, inbound_share=0.65),
    Profile(
        "freelance",
        2.2,
        0.8,
        "office",
        "abroad:{home}",
        22,
        inbound_share=0.35,
        internal_share=0.0,
        talk_s=130.0,
    ),
    Profile(
        "household",
        1.6,
        0.7,
        "evening",
        "home_mobile:{home}",
        14,
        inbound_share=0.5,
        internal_share=0.0,
        talk_s=120.0,
        talk_spread=1.3,
        new_share=0.05,
    ),
    Profile(
        "round_clock",
        7.0,
        0.8,
        "round_clock",
        "home:{home}",
        70,
        new_share=0.35,
        inbound_share=0.7,
        internal_share=0.12,
    ),
)
ORDINARY_SHARES: tuple[float, ...] = (0.46, 0.20, 0.16, 0.10, 0.08)

# Good customers that look like fraudsters (product.md names them). Diallers below 60 s a
# call and reminders with over 15 % short calls cross the published thresholds on purpose.
LOOKALIKES: dict[str, Profile] = {
    "call_centre": Profile(
        "call_centre",
        90.0,
        0.5,
        "dialler",
        "home_mobile:{home}",
        6000,
        new_share=0.1,
        inbound_share=0.18,
        internal_share=0.02,
        answered_share=0.42,
        talk_s=70.0,
        talk_spread=1.2,
        short_share=0.12,
        choice=Choice.LIST,
    ),
    "reminders": Profile(
        "reminders",
        55.0,
        0.4,
        "reminder",
        "home_mobile:{home}",
        2500,
        inbound_share=0.08,
        internal_share=0.0,
        answered_share=0.62,
        talk_s=21.0,
        talk_spread=0.35,
        talk_max_s=90.0,
        short_share=0.18,
        choice=Choice.LIST,
    ),
    "diaspora": Profile(
        "diaspora",
        6.0,
        0.5,
        "evening",
        "family:{home}:{one}",
        16,
        new_share=0.04,
        inbound_share=0.3,
        internal_share=0.0,
        answered_share=0.6,
        talk_s=420.0,
        talk_spread=1.0,
    ),
    "conference_host": Profile(
        "conference_host",
        22.0,
        0.5,
        "office",
        "home:{home}",
        80,
        new_share=0.1,
        inbound_share=0.9,
        internal_share=0.0,
        inbound_answered_share=0.98,
        talk_s=2100.0,
        talk_spread=0.6,
        talk_max_s=14_400.0,
        short_share=0.03,
    ),
    "callback_service": Profile(
        "callback_service",
        35.0,
        0.4,
        "round_clock",
        "abroad:{home}",
        600,
        new_share=0.2,
        inbound_share=0.5,
        internal_share=0.0,
        inbound_answered_share=0.03,
        ring_s=4.0,
        talk_s=240.0,
        talk_spread=1.0,
    ),
    "pbx_failover": Profile(
        "pbx_failover",
        16.0,
        0.5,
        "office",
        "home:{home}",
        70,
        attempts=1.8,
        internal_share=0.1,
    ),
    "new_heavy": Profile(
        "new_heavy",
        45.0,
        0.4,
        "office",
        "home:{home}",
        300,
        new_share=0.35,
        inbound_share=0.4,
    ),
    "night_shift": Profile(
        "night_shift",
        14.0,
        0.5,
        "night",
        "home:{home}",
        60,
        inbound_share=0.5,
        new_share=0.2,
    ),
    "holiday": Profile("holiday", 5.0, 0.6, "office", "home:{home}", 35),
}

HOLIDAY_AWAY = Profile(
    "holiday_away",
    9.0,
    0.3,
    "evening",
    "holiday:{home}",
    25,
    new_share=0.3,
    inbound_share=0.25,
    internal_share=0.0,
    talk_s=110.0,
)

# Little traffic that new fraudulent accounts make to look alive; ours.
COVER = Profile(
    "cover", 0.8, 0.5, "office", "home:{home}", 8, inbound_share=0.3, internal_share=0.0
)

FRAUDS: dict[str, Profile] = {
    # Few numbers of one range, long calls that end by the caller's timer, mostly at the
    # weekend: Sahin and Francillon, NDSS 2021; product.md on the weekend share.
    "irsf": Profile(
        "irsf",
        130.0,
        0.5,
        "weekend_attack",
        "one:{one}",
        10,
        inbound_share=0.0,
        internal_share=0.0,
        answered_share=0.86,
        talk_s=330.0,
        talk_spread=0.35,
        talk_max_s=3600.0,
        short_share=0.03,
        choice=Choice.LIST,
    ),
    # Short calls to the same range, before: product.md, 30 minutes to 24 hours.
    "irsf_test": Profile(
        "irsf_test",
        160.0,
        0.3,
        "flat",
        "one:{one}",
        3,
        inbound_share=0.0,
        internal_share=0.0,
        answered_share=0.75,
        talk_s=9.0,
        talk_spread=0.5,
        talk_max_s=40.0,
        choice=Choice.LIST,
    ),
    # Mid-price destinations, random durations, even spread over the range, office hours:
    # BIAAS, "Why intelligently designed IRSF frauds are so difficult to identify".
    "irsf_evasive": Profile(
        "irsf_evasive",
        34.0,
        0.3,
        "office",
        "mid",
        140,
        inbound_share=0.08,
        internal_share=0.0,
        answered_share=0.7,
        talk_s=140.0,
        talk_spread=1.0,
        choice=Choice.LIST,
    ),
    # One short ring, number after number; about 5 % call back (product.md).
    "wangiri": Profile(
        "wangiri",
        300.0,
        0.4,
        "dialler",
        "home_mobile:{other}",
        4000,
        inbound_share=0.05,
        internal_share=0.0,
        answered_share=0.02,
        inbound_answered_share=0.97,
        talk_s=55.0,
        talk_spread=0.8,
        ring_s=1.4,
        choice=Choice.SCAN,
        run=60,
    ),
    # Dialler below 60 s, short calls over 20 %, hardly a repeated number: the published
    # thresholds of product.md (Telnyx, Volli).
    "robocall": Profile(
        "robocall",
        320.0,
        0.4,
        "dialler",
        "home_mobile:{home}",
        60_000,
        inbound_share=0.015,
        internal_share=0.0,
        answered_share=0.38,
        talk_s=17.0,
        talk_spread=0.7,
        talk_max_s=240.0,
        short_share=0.42,
        choice=Choice.LIST,
        anonymous_share=0.03,
    ),
    # Other people's calls to one country's mobiles through one account: high out/in ratio
    # and many callees (Reaves et al., "Boxed out", USENIX Security 2015; Murynets et al.,
    # "Analysis and detection of SIMbox fraud", INFOCOM 2014). Volumes are ours.
    "simbox": Profile(
        "simbox",
        160.0,
        0.4,
        "round_clock",
        "one_family:{one}",
        9000,
        inbound_share=0.004,
        internal_share=0.0,
        answered_share=0.52,
        talk_s=120.0,
        talk_spread=1.1,
        choice=Choice.LIST,
    ),
    # The victim's own calls go on; at the weekend the intruder's are added.
    "pbx_hacking": Profile(
        "pbx_hacking",
        110.0,
        0.4,
        "weekend_attack",
        "high",
        40,
        inbound_share=0.0,
        internal_share=0.0,
        answered_share=0.66,
        talk_s=260.0,
        talk_spread=0.6,
        talk_max_s=3600.0,
        choice=Choice.LIST,
    ),
    # Before it, failed tries of one number after the other.
    "pbx_scan": Profile(
        "pbx_scan",
        240.0,
        0.3,
        "flat",
        "home_fixed:{home}",
        400,
        inbound_share=0.0,
        internal_share=0.0,
        answered_share=0.08,
        talk_s=5.0,
        talk_spread=0.4,
        talk_max_s=20.0,
        ring_s=2.0,
        choice=Choice.SCAN,
        run=200,
    ),
    "takeover": Profile(
        "takeover",
        48.0,
        0.4,
        "round_clock",
        "dear:{home}",
        25,
        inbound_share=0.02,
        internal_share=0.0,
        answered_share=0.66,
        talk_s=230.0,
        talk_spread=0.8,
        choice=Choice.LIST,
    ),
    # Each member little, together much: half of losses start at sign-up or take-over
    # (product.md after CFCA 2023, which ranks application fraud and credit mules first).
    "subscription_ring": Profile(
        "subscription_ring",
        26.0,
        0.4,
        "evening",
        "dear:{home}",
        30,
        new_share=0.2,
        inbound_share=0.06,
        internal_share=0.0,
        answered_share=0.64,
        talk_s=210.0,
        talk_spread=0.9,
    ),
    # Debtors who come back under another name call the same people: Becker, Volinsky,
    # Wilks, Technometrics 52 (2010); Cortes, Pregibon, Volinsky, 2001.
    "returning": Profile(
        "returning",
        15.0,
        0.3,
        "evening",
        "abroad:{home}",
        24,
        new_share=0.06,
        inbound_share=0.25,
        internal_share=0.0,
        answered_share=0.66,
        talk_s=260.0,
        talk_spread=1.0,
    ),
}

FRAUD_KINDS: tuple[str, ...] = (
    "irsf",
    "irsf_evasive",
    "wangiri",
    "robocall",
    "simbox",
    "pbx_hacking",
    "takeover",
    "subscription_ring",
    "returning",
)
LOOKALIKE_KINDS: tuple[str, ...] = tuple(LOOKALIKES)

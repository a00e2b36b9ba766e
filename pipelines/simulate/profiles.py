"""How each kind of honest account calls: one row of parameters for each behaviour.

Here are ordinary customers and the look-alikes; fraudsters are in
:mod:`.fraud_profiles`. Only parameters live here, with what they rest on;
``docs/simulator.md`` says the same for readers. Who has which behaviour is
decided in :mod:`.population`; calls are made from it in :mod:`.traffic`.
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
# conversation of docs/features.md (180 s and more). Durations are log-normal: Brown et al.,
# "Statistical analysis of a telephone call center", JASA 100 (2005). Calls, minutes and
# partners a customer are heavily skewed: Seshadri et al., "Mobile call graphs", KDD 2008.
# The medians are ours.
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

# Good customers that look like fraudsters (docs/simulator.md). Diallers below 60 s a
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

LOOKALIKE_KINDS: tuple[str, ...] = tuple(LOOKALIKES)

"""How fraudsters call: one row of parameters for each behaviour, with what it rests on.

When each starts and is caught is in :mod:`.frauds`.
"""

from __future__ import annotations

from pipelines.simulate.profiles import Choice, Profile

# Little traffic that new fraudulent accounts make to look alive; ours.
COVER = Profile(
    "cover", 0.8, 0.5, "office", "home:{home}", 8, inbound_share=0.3, internal_share=0.0
)

FRAUDS: dict[str, Profile] = {
    # Few numbers of one range, long calls that end by the caller's timer, mostly at the
    # weekend: Sahin and Francillon, NDSS 2021; docs/simulator.md on the weekend share.
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
    # Short calls to the same range, before: docs/simulator.md, 30 minutes to 24 hours.
    "irsf_test": Profile(
        "irsf_test",
        240.0,
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
    # One short ring, number after number; about 5 % call back (docs/simulator.md; "a few per cent"
    # and 99 % of calls below a minute in a wave at Telenor Hungary, portfolio.hu, January 2019).
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
        talk_s=22.0,
        talk_spread=0.5,
        ring_s=1.4,
        choice=Choice.SCAN,
        run=60,
    ),
    # Dialler below 60 s, short calls over 20 %, hardly a repeated number: the published
    # thresholds of docs/features.md (Telnyx, Volli).
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
    # and many callees (Murynets et al., "Analysis and
    # detection of SIMbox fraud in mobility networks", INFOCOM 2014). Volumes are ours.
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
    # (CFCA 2023, which ranks application fraud and credit mules first).
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
    # Wilks, "Fraud detection in telecommunications", Technometrics 52 (2010).
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

"""The world the operator sells into: home countries, their zones, switches and networks.

Which numbers exist in a country is read from the numbering metadata in
:mod:`pipelines.simulate.numbers`; what people do there is in
:mod:`pipelines.simulate.profiles`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Home:
    """A country in which accounts sign up.

    Attributes
    ----------
    code : str
        ISO 3166-1 alpha-2.
    weight : float
        Relative share of accounts; ours, because operators do not publish it.
    zones : tuple of str
        IANA zones accounts live in, all whole hours from UTC.
    source : str
        The switch that serves most of its accounts.
    network : str
        First half of the IPv4 addresses its customers come from.
    cities : tuple of str
    """

    code: str
    weight: float
    zones: tuple[str, ...]
    source: str
    network: str
    cities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """One source of call files.

    Attributes
    ----------
    name, format : str
        As in ``callsieve.toml``.
    zone : str
        IANA zone of the times it writes and of its file rotation.
    country : str
        Country whose dialling plan national numbers follow.
    trunk, international : str
        What its users dial before a national and before an international number.
    account_from : str
        How a record finds its account.
    suffix : str
        End of its file names.
    """

    name: str
    format: str
    zone: str
    country: str
    trunk: str
    international: str
    account_from: str
    suffix: str


SWITCHES: tuple[Switch, ...] = (
    Switch("pbx", "asterisk_csv", "Europe/Berlin", "DE", "0", "00", "code", "csv"),
    Switch("softswitch", "freeswitch_json", "UTC", "GB", "0", "00", "code", "jsonl"),
    Switch("proxy", "opensips_acc", "UTC", "NL", "0", "00", "number", "csv"),
    Switch("wholesale", "plain_csv", "America/New_York", "US", "1", "011", "code", "csv"),
)

HOMES: tuple[Home, ...] = (
    Home(
        "US",
        0.20,
        ("America/New_York", "America/Chicago", "America/Los_Angeles"),
        "wholesale",
        "73.0",
        ("Albany", "Dayton", "Tucson", "Portland", "Macon", "Fresno"),
    ),
    Home(
        "GB",
        0.14,
        ("Europe/London",),
        "softswitch",
        "86.128",
        ("Leeds", "Bristol", "Derby", "Cardiff", "Norwich", "Perth"),
    ),
    Home(
        "DE",
        0.16,
        ("Europe/Berlin",),
        "pbx",
        "84.128",
        ("Kassel", "Bremen", "Mainz", "Jena", "Ulm", "Kiel"),
    ),
    Home(
        "NL",
        0.08,
        ("Europe/Amsterdam",),
        "proxy",
        "84.80",
        ("Utrecht", "Breda", "Zwolle", "Delft", "Leiden"),
    ),
    Home(
        "FR",
        0.09,
        ("Europe/Paris",),
        "proxy",
        "90.0",
        ("Lyon", "Nantes", "Dijon", "Tours", "Metz", "Pau"),
    ),
    Home(
        "ES",
        0.07,
        ("Europe/Madrid",),
        "proxy",
        "83.32",
        ("Burgos", "Vigo", "Murcia", "Huelva", "Lleida"),
    ),
    Home(
        "IT",
        0.06,
        ("Europe/Rome",),
        "softswitch",
        "79.0",
        ("Parma", "Trento", "Lecce", "Pisa", "Udine"),
    ),
    Home(
        "PL",
        0.05,
        ("Europe/Warsaw",),
        "pbx",
        "83.0",
        ("Lublin", "Opole", "Torun", "Radom", "Gdynia"),
    ),
    Home(
        "SE",
        0.04,
        ("Europe/Stockholm",),
        "softswitch",
        "81.224",
        ("Uppsala", "Malmo", "Lund", "Gavle"),
    ),
    Home(
        "IE", 0.04, ("Europe/Dublin",), "softswitch", "86.40", ("Cork", "Galway", "Sligo", "Ennis")
    ),
    Home("AT", 0.04, ("Europe/Vienna",), "pbx", "80.108", ("Graz", "Linz", "Wels", "Steyr")),
    Home("CH", 0.03, ("Europe/Zurich",), "pbx", "83.76", ("Bern", "Chur", "Thun", "Olten")),
)

ZONES: tuple[str, ...] = tuple(dict.fromkeys(zone for home in HOMES for zone in home.zones))

# Rented servers and exits of anonymising services, as fraudsters and hackers use them.
# Ours: first halves of address ranges of large hosting companies.
HOSTING_NETWORKS: tuple[str, ...] = ("45.76", "51.15", "95.179", "104.238", "139.59", "185.220")

# Cuba, Latvia, Lithuania and Somalia: month after month among the first ten destinations of
# premium numbers (Commsrisk, "What is new with IRSF fraud?"); the rest are ours, dear to call.
HIGH_RISK: tuple[str, ...] = (
    "CU",
    "LV",
    "LT",
    "SO",
    "SL",
    "GM",
    "GN",
    "ZW",
    "MV",
    "TN",
    "BA",
    "EE",
)

# 10 to 30 euro cents a minute is where careful fraudsters go (BIAAS, "Why intelligently
# designed IRSF frauds are so difficult to identify"); the choice of countries is ours.
MID_PRICE: tuple[str, ...] = ("BG", "RS", "MD", "GE", "AM", "KZ", "PE", "EC", "SI", "AE")

# Where people have family, by home country: ours, from well-known migrant corridors.
# Several are high-risk for IRSF on purpose.
FAMILY_ABROAD: dict[str, tuple[str, ...]] = {
    "US": ("CU", "DO", "MX", "SO"),
    "GB": ("SO", "ZW", "PK", "NG"),
    "DE": ("TR", "BA", "LT", "TN"),
    "NL": ("MA", "SO", "TR", "GN"),
    "FR": ("TN", "DZ", "GN", "MA"),
    "ES": ("MA", "EC", "CU", "GM"),
    "IT": ("TN", "GM", "RO", "CU"),
    "PL": ("UA", "LT", "VN", "GE"),
    "SE": ("SO", "BA", "GM", "LT"),
    "IE": ("LV", "LT", "NG", "ZW"),
    "AT": ("BA", "TR", "RS", "SO"),
    "CH": ("BA", "TN", "CU", "PT"),
}

HOLIDAY: tuple[str, ...] = ("PT", "GR", "TR", "MV", "CU", "DO", "TN", "TH")

NEIGHBOURS: dict[str, tuple[str, ...]] = {
    "US": ("CA", "MX", "GB"),
    "GB": ("IE", "FR", "US"),
    "DE": ("AT", "CH", "NL"),
    "NL": ("BE", "DE", "GB"),
    "FR": ("BE", "ES", "DE"),
    "ES": ("PT", "FR", "GB"),
    "IT": ("CH", "FR", "DE"),
    "PL": ("DE", "CZ", "GB"),
    "SE": ("NO", "DK", "FI"),
    "IE": ("GB", "US", "FR"),
    "AT": ("DE", "CH", "IT"),
    "CH": ("DE", "FR", "IT"),
}

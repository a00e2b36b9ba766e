"""Names, streets and mail domains to make identities from; all combinations are invented.

Last names are the commonest of a language and, behind them, compositions in its
manner, so that some names are shared by many and most by few.
"""

from __future__ import annotations

Names = tuple[tuple[str, ...], tuple[str, ...]]


def _names(first: str, common: str, heads: str, tails: str) -> Names:
    """Return first and last names, commonest first."""
    composed = (head + tail for tail in tails.split() for head in heads.split())
    return tuple(first.split()), (*common.split(), *composed)


_GERMAN = _names(
    """Anna Lukas Marie Felix Sophie Jonas Laura Paul Lena Maximilian Julia Tim Katharina Florian
    Sarah Jan Lisa Tobias Nina Stefan Eva Moritz Hannah Simon Clara Philipp Ines Markus""",
    """Mueller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer
    Richter Klein Wolf Neumann Braun Zimmermann Hofer Gruber Huber Brunner Keller Frei Vogel""",
    """Linden Berg Stein Hof Wald Brunn Feld Eich Buch Rosen Hass Kron Lang Alt Neu Schoen Tann
    Moos Gries Reit Kirch Thal Sand Birk""",
    "mann meier bauer er berger hofer ner inger huber ler maier acker",
)
_ENGLISH = _names(
    """Emma James Olivia Oliver Sarah Jack Emily William Grace Michael Hannah David Chloe Thomas
    Rachel Daniel Megan Ryan Aisha Sean Lucy Patrick Nora Adam Ellen Kevin Zoe Brian""",
    """Smith Jones Taylor Brown Wilson Johnson Davies Walker Roberts Murphy Kelly Byrne Miller
    Davis Clark Lewis Young King Wright Hill Green Adams Baker Nelson Carter Turner""",
    """Ash Brad Thorn Wood Hart Lang Mid Nor Stan Red Black Whit Farn Hol Cran Dal Ell Win Al
    Kings Ather Bick Over Stock""",
    "ton ley field ford worth well wood ham by shaw combe man",
)
_FRENCH = _names(
    """Camille Hugo Manon Louis Chloe Jules Lea Arthur Ines Theo Claire Nicolas Julie Antoine
    Amina Karim Elise Romain Sophie Mathieu Alice Bastien""",
    """Martin Bernard Dubois Thomas Robert Petit Durand Leroy Moreau Simon Laurent Lefebvre
    Michel Garnier Fontaine Rousseau Diallo""",
    """Bar Gor Lam Mar Per Tour Vall Ber Cor Dav Gall Rich Bouch Char Guill Per Mor Sab Trem
    Bon Font Roch""",
    "ier eau et ard in ot on ault ell iere oux enet",
)
_DUTCH = _names(
    """Sanne Daan Lotte Bram Fleur Sem Eva Thijs Noor Ruben Femke Jeroen Maaike Pieter Anouk
    Jasper Iris Koen Marloes Wouter""",
    """Jansen Bakker Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker Dijkstra Brouwer
    Koster Kuipers Willems""",
    """Veld Broek Hoek Berk Dijk Ooster Wester Noord Zuid Heide Beek Water Kerk Molen Linde
    Stein Hout Rijn Zand Eik""",
    "man huis kamp stra ema horst hof sma laar wijk inga donk",
)
_SPANISH = _names(
    """Lucia Hugo Maria Pablo Paula Alejandro Carmen Javier Sofia Sergio Elena Andres Marta Diego
    Irene Alvaro Nuria Ruben Pilar Mario""",
    """Garcia Fernandez Gonzalez Rodriguez Lopez Martinez Sanchez Perez Gomez Ruiz Diaz Moreno
    Alvarez Romero Navarro Torres""",
    """Garcia- Lopez- Ruiz- Perez- Gil- Soto- Vega- Mora- Cano- Rubio- Prieto- Leon- Campos-
    Santos- Reyes- Iglesias-""",
    "Molina Ortega Castro Marin Nieto Lozano Cruz Duran Flores Rey Pardo Bravo",
)
_ITALIAN = _names(
    """Giulia Leonardo Aurora Lorenzo Sara Matteo Chiara Marco Elisa Andrea Francesca Davide
    Martina Luca Silvia Paolo Elena Giorgio Marta Stefano""",
    """Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti
    Costa Mancini Lombardi""",
    """Bern Cas Mor Sant Vall Mart Ferr Pell Gall Bert Parr Cecch Zan Bas Mont Cap Luc Fal Ner
    Tad""",
    "ini etti elli ucci oni ato acchi ani otti olo esi aro",
)
_POLISH = _names(
    """Zofia Antoni Julia Jakub Maja Szymon Anna Piotr Katarzyna Tomasz Magda Pawel Ewa Marek
    Agata Michal Olga Adam""",
    """Nowak Mazur Krawczyk Wojcik Kaczmarek Zajac Krol Wrobel Pawlak Dudek Stepien Sikora Baran
    Szewczyk""",
    """Kowal Wisn Lewand Kamin Ziel Szym Wozn Dabr Grab Pawl Jan Now Maj Wit Jaw Bor Lip Sok Gor
    Zaw""",
    "owski ewski inski owicz czyk iak ecki icki arz anski ewicz owiak",
)
_SWEDISH = _names(
    """Alice William Maja Liam Ebba Erik Astrid Oscar Karin Johan Linnea Anders Elsa Gustav Sara
    Nils Hanna Lars""",
    """Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson
    Pettersson Jonsson""",
    """Lind Berg Sand Sjo Ek Dal Holm Nord Sund Bjork Hag Ny Fors Lund As Ceder Gran Strand Wall
    Hed""",
    "strom gren qvist lund berg dahl blad stedt vall mark man feldt",
)

NAMES_OF: dict[str, Names] = {
    "US": _ENGLISH, "GB": _ENGLISH, "IE": _ENGLISH, "DE": _GERMAN, "AT": _GERMAN, "CH": _GERMAN,
    "NL": _DUTCH, "FR": _FRENCH, "ES": _SPANISH, "IT": _ITALIAN, "PL": _POLISH, "SE": _SWEDISH,
}  # fmt: skip
"""First and last names by country, without accents."""

STREETS = (
    "Station", "Market", "Mill", "Church", "Garden", "Park", "School", "River", "Bridge", "Castle",
    "Harbour", "Meadow", "Forest", "Hill", "Lake", "Tower", "Rose", "Linden", "Maple", "Orchard",
)  # fmt: skip

FREE_DOMAINS = ("mail.example", "post.example", "inbox.example", "webmail.example")
DISPOSABLE_DOMAINS = ("mailinator.com", "guerrillamail.com", "yopmail.com", "trashmail.com")

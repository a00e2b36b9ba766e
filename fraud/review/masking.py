"""Personal values in part: enough to recognise, too little to use.

Pure. A page shows the whole only after a reason was given, see `web.views_case`.
"""

from __future__ import annotations

DOTS = "•••"


def mask_number(value: str) -> str:
    """Show the beginning of a number and its last two digits.

    Examples
    --------
    >>> mask_number("+493012345678"), mask_number("alice"), mask_number("12")
    ('+4930•••78', 'a•••', '•••')
    """
    if len(value) <= 2:
        return DOTS
    if not value.lstrip("+").isdigit():
        return mask_text(value)
    return f"{value[: min(5, len(value) // 2)]}{DOTS}{value[-2:]}"


def mask_text(value: str) -> str:
    """Show the first sign of each of the first three words.

    Examples
    --------
    >>> mask_text("Ada Lovelace"), mask_text("")
    ('A••• L•••', '')
    """
    return " ".join(word[0] + DOTS for word in value.split()[:3])


def mask_email(value: str) -> str:
    """Show the first sign and the domain.

    Examples
    --------
    >>> mask_email("ada@example.com"), mask_email("nonsense")
    ('a•••@example.com', 'n•••')
    """
    name, at, domain = value.rpartition("@")
    return f"{name[:1]}{DOTS}@{domain}" if at else mask_text(value)


def mask_ip(value: str) -> str:
    """Show the first half of an address: the network, not the line.

    Examples
    --------
    >>> mask_ip("192.0.2.77"), mask_ip("2001:db8:1::5")
    ('192.0.•••', '2001:db8:•••')
    """
    mark = ":" if ":" in value else "."
    return mark.join(value.split(mark)[:2]) + mark + DOTS


def mask_code(value: str) -> str:
    """Show the last four signs of a fingerprint, device or document.

    Examples
    --------
    >>> mask_code("card-485018880940"), mask_code("abc")
    ('•••0940', '•••')
    """
    return DOTS + (value[-4:] if len(value) > 8 else "")


MASKS = {
    "name": mask_text,
    "email": mask_email,
    "phone": mask_number,
    "address": mask_text,
    "id_document": mask_code,
    "social": mask_code,
    "payment_fingerprint": mask_code,
    "payment": mask_code,
    "devices": mask_code,
    "device": mask_code,
    "signup_ip": mask_ip,
    "ip": mask_ip,
    "forward_to": mask_number,
    "number": mask_number,
    "caller": mask_number,
    "callee": mask_number,
    "counterpart": mask_number,
    "detail": mask_text,
}
"""How each kind of value is masked."""


def shown(kind: str, value: object, *, whole: bool) -> str:
    """Return a value for a page: whole where that was allowed, else masked.

    A kind that no mask is known for is masked as a code, so that a new column does
    not show itself by being forgotten.
    """
    if value is None:
        return ""
    text = harmless(str(value))
    return text if whole else MASKS.get(kind, mask_code)(text)


def harmless(text: str) -> str:
    r"""Replace what would turn writing round or hide it: controls and direction marks.

    Examples
    --------
    >>> harmless("a\u202eb\x00c") == "a\ufffdb\ufffdc"
    True
    """
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)

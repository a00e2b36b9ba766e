"""HTML for people from templates of a package: all text escaped, no name left unset."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def html_pages(package: str) -> Environment:
    """Return the templates in the folder `templates` of a package of ours."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

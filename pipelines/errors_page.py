"""The page ``docs/errors.md``, written from the errors so that it cannot lie."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import cdr.errors
import fraud.errors
from cdr.errors import CdrError, WrongUse
from pipelines.terminal import FAILED, WRONG_USE

_HEAD = """\
# Errors

Written by `python -m pipelines.errors_page > docs/errors.md`; a test compares it.

A command that fails says why on standard error and changes nothing by halves; with `--json` it
prints `{"error": ..., "exit_code": ...}`. No message carries a phone number, an address or a name.
A record that cannot be read is no error: it is set aside with its reasons ([rejects](rejects.md)).
In Python each is an exception below `cdr.CdrError`.

| error | exit code | meaning | what to do |
|---|---|---|---|"""


def errors_page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_HEAD, *map(_row, errors())]) + "\n"


def errors() -> Iterator[type[CdrError]]:
    """Yield every error, in the order in which they stand."""
    for module in (cdr.errors, fraud.errors):
        for value in vars(module).values():
            if (
                inspect.isclass(value)
                and issubclass(value, CdrError)
                and value.__module__ == module.__name__
            ):
                yield value


def what_to_do(error: type[CdrError]) -> str:
    """Return what the docstring of an error says to do; empty where it says nothing."""
    said = " ".join((error.__doc__ or "").split())
    return said.partition("To do: ")[2]


def _row(error: type[CdrError]) -> str:
    meaning = (error.__doc__ or "").strip().splitlines()[0]
    code = WRONG_USE if issubclass(error, WrongUse) else FAILED
    return f"| `{error.__name__}` | {code} | {meaning} | {what_to_do(error)} |"


if __name__ == "__main__":
    print(errors_page(), end="")  # noqa: T201

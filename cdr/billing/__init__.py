"""Billing: what calls cost, who pays, and what was billed, once.

`decks` and `rating` price calls; `rules` say who pays for which leg; `lines` makes the
lines of a period, `ledger` keeps what was sealed, `extract` writes files. Taxes, invoices
and payments are not here.
"""

from cdr.billing.carrier import reconcile_carrier
from cdr.billing.decks import import_deck

__all__ = ["import_deck", "reconcile_carrier"]

"""Texts of messages: ``{number}`` and ``{link}`` are filled in; all are invented."""

from __future__ import annotations

HONEST_TEXTS = (
    "Your appointment is tomorrow at 10:30. Reply C to cancel. Ref {number}",
    "Your order {number} has left our shop and arrives today.",
    "Your code is {number}. It is valid for ten minutes.",
    "Table for four is booked, booking {number}. See you on Saturday!",
    "Your car is ready. Invoice {number}. We are open until 18:00.",
    "Thank you for your call. Your ticket is {number}.",
    "Reminder: invoice {number} is due on Friday. Thank you!",
    "We are closed on Monday. Our duty phone is answered all day.",
)
SMISHING_TEXTS = (
    "Your parcel {number} is held at customs. Pay 1.99 now: {link}",
    "Security alert: new sign-in to your bank. Not you? Confirm at {link}",
    "Hi mum, my phone broke, this is my new number. Can you help? {link}",
    "Final notice {number}: your tax refund expires today. Claim: {link}",
)
LINKS = ("http://track-post.example", "http://secure-check.example", "http://refund-now.example")
LISTED_LINKS = LINKS[:2]
"""Those that a list of domains knows: no list is complete."""

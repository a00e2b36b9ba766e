"""What a session shows in place of numbers, parties and addresses: keyed pseudonyms.

`keys` keeps the secrets, outside the lake; `values` turns texts into pseudonyms; `shielded`
puts them in front of a table, so that a session never holds the raw value.
"""

from cdr.pseudonyms.keys import Key, KeyFolder
from cdr.pseudonyms.shielded import Shielded
from cdr.pseudonyms.values import pseudonyms

__all__ = ["Key", "KeyFolder", "Shielded", "pseudonyms"]

"""Raw text of a record to one meaning: numbers, addresses and times.

Everything here is pure: Polars expressions in, expressions out, no files and no clock.
:mod:`~cdr.normalise.numbers` reads the two ends of a call,
:mod:`~cdr.normalise.addresses` their network addresses and
:mod:`~cdr.normalise.times` the instants. Reading files belongs to :mod:`cdr.formats`,
joining legs to calls to the tables.
"""

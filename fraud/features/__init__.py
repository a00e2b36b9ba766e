"""What is measured of an account, and how.

Here: the registry of signals (one module a family), the partial sums of days
and the features as of a midnight. Not here: comparison of account details
(:mod:`fraud.identity`) and what is learned from the numbers
(:mod:`fraud.model`).
"""

"""The dialects of switch files, one module each, and the table of them.

To add one: write a module with a `FORMAT`, put it into `FORMATS`, and a fixture
that shows its quirks into the tests.
"""

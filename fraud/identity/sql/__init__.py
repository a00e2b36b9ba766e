"""Statements of the comparison, one file each."""

"""The commands, one module an area; each has a Typer ``app`` that ``pipelines.cli`` takes up.

A command reads its options, calls one function and shows what it found. Rules are
elsewhere. What is slow to import (the model, the queue) is imported by the command that
needs it, so that `--help` and `query` answer at once.
"""

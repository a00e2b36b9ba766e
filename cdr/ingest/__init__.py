"""From switch files to the lake: read, normalise, deduplicate, commit; once."""

from cdr.ingest.report import (
    FileReport,
    IngestReport,
    contradiction,
    flagged_rows,
    there_already,
    without_account,
)
from cdr.ingest.run import Progress, ingest

__all__ = [
    "FileReport",
    "IngestReport",
    "Progress",
    "contradiction",
    "flagged_rows",
    "ingest",
    "there_already",
    "without_account",
]

"""From switch files to the lake: read, normalise, deduplicate, commit; once."""

from cdr.ingest.report import FileReport, IngestReport, contradicted, contradiction
from cdr.ingest.run import Progress, ingest

__all__ = ["FileReport", "IngestReport", "Progress", "contradicted", "contradiction", "ingest"]

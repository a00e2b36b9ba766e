"""The ledger of nightly runs: which steps are done, what they found, how long they took.

One JSON file a run. A step's line is written when it has ended, whole or not at
all, so that a killed run goes on with the step it was in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cdr.errors import storage
from cdr.lake.home import write_whole
from cdr.privacy.audit import Head

Result = dict[str, Any]


@dataclass(slots=True)
class Run:
    """One run of a night; ``done`` maps each ended step to its result and seconds."""

    run_id: str
    file: Path
    done: dict[str, Result] = field(default_factory=dict)
    finished: bool = False

    def step(self, name: str, work: Callable[[], Result]) -> Result:
        """Do a step unless it is done, and return what it found."""
        if name not in self.done:
            began = time.monotonic()
            result = work()
            self.done[name] = {"result": result, "seconds": round(time.monotonic() - began, 3)}
            self._save()
        found: Result = self.done[name]["result"]
        return found

    def finish(self) -> None:
        """Note that nothing is left to do."""
        self.finished = True
        self._save()

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds that each step took."""
        return {name: step["seconds"] for name, step in self.done.items()}

    def _save(self) -> None:
        content = {"run_id": self.run_id, "finished": self.finished, "done": self.done}
        with storage("writing the ledger of runs"):
            write_whole(self.file, json.dumps(content, indent=1).encode())


def kept_heads(folder: Path) -> list[Head]:
    """Return the ends of the audit log that nights noted, the oldest first."""
    kept = results_of(folder, "retention", "audit_head")
    return sorted((Head(head["seq"], head["hash"]) for head in kept), key=lambda head: head.seq)


def results_of(folder: Path, step: str, name: str) -> list[Any]:
    """Return what the runs of a ledger note under a name about a step they have done."""
    found = []
    for file in sorted(folder.glob("*.json")):
        with storage("reading the ledger of runs"):
            done = json.loads(file.read_bytes()).get("done", {})
        found.append(done.get(step, {}).get("result", {}).get(name))
    return [noted for noted in found if noted is not None]


def open_run(folder: Path, day: date) -> Run:
    """Go on with the night's unfinished run, or begin the next one.

    Parameters
    ----------
    folder : Path
        Where the ledger lies.
    day : date
        The day whose calls the night takes in.
    """
    files = sorted(folder.glob(f"{day.isoformat()}.*.json"), key=lambda f: int(f.suffixes[-2][1:]))
    if files:
        content = json.loads(files[-1].read_bytes())
        if not content["finished"]:
            return Run(content["run_id"], files[-1], content["done"])
    run_id = f"{day.isoformat()}.{len(files) + 1}"
    return Run(run_id, folder / f"{run_id}.json")

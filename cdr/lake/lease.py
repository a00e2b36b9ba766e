"""Who of several machines may do a job now: objects that are created once and kept fresh.

The holder is who made the object with the highest number. It is written again every
third of its time; one that was not is stale, and another makes the next number. A lease
spares others from working in vain. It is not what keeps the lake whole: a writer that
was held up and lost its lease unknowingly is refused by the journal (see `bucket`).
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from cdr.errors import StorageFailed, WrongUse
from cdr.lake.objects import Found, Objects

POLL_S = 0.2
"""Ours: how often one that waits looks again; it waits half of that in vain."""


class Lease:
    """One job's lease, for one process.

    Parameters
    ----------
    objects : Objects
        Where it lies.
    job : str
        What it is for.
    owner : str
        Names this machine's working folder. Its own lease is taken over at once: the
        caller holds that folder's lock for the job, so who had it is gone.
    seconds : int
        How long it is believed after it was last written.
    """

    def __init__(self, objects: Objects, job: str, owner: str, seconds: int) -> None:
        self._objects = objects
        self._folder = f"lake/_lease/{job}"
        self._owner = owner
        self._seconds = seconds
        self._number = 0
        self._fresh_s = 0.0
        self._beats = 0
        self._end = Event()

    @contextmanager
    def held(self, *, wait: bool) -> Iterator[bool]:
        """Hold the lease; False where it is another's and ``wait`` is false.

        Raises
        ------
        WrongUse
            If the store creates an object that is there: nothing can be held then.
        """
        if not self._take(wait=wait):
            yield False
            return
        keeper = Thread(target=self._keep, daemon=True)
        keeper.start()
        try:
            yield True
        finally:
            self._end.set()
            keeper.join()
            with suppress(StorageFailed):  # it goes stale then
                self._objects.delete([self._name(self._number)])

    @property
    def lost(self) -> bool:
        """Tell whether another may have taken it over."""
        return _now_s() - self._fresh_s > self._seconds

    def _take(self, *, wait: bool) -> bool:
        while True:
            before = self._objects.below(f"{self._folder}/")
            if not before or self._free(before[-1]):
                if self._make([found.name for found in before]):
                    return True
            elif not wait:
                return False
            time.sleep(POLL_S * (0.5 + random.random()))

    def _make(self, before: list[str]) -> bool:
        """Make the next lease; yield where another was made at the same time."""
        self._number = 1 + (_number(before[-1]) if before else 0)
        mine, now_s = self._name(self._number), _now_s()
        if not self._objects.put_new(mine, self._content()):
            return False
        self._fresh_s = now_s
        self._prove()
        now = {found.name for found in self._objects.below(f"{self._folder}/")}
        if now - {mine, *before}:
            self._objects.delete([mine])
            return False
        self._objects.delete(before)
        return True

    def _free(self, newest: Found) -> bool:
        content = self._objects.get(newest.name)
        if content is None:  # just let go of: look again
            return False
        if json.loads(content)["owner"] == self._owner:
            return True
        clock = f"lake/_clock/{self._owner}"
        self._objects.put(clock, b"{}")
        now = self._objects.found(clock)
        return now is not None and (now.modified - newest.modified).total_seconds() > self._seconds

    def _prove(self) -> None:
        """See that the store refuses to create what is there."""
        self._beats += 1
        if self._objects.put_new(self._name(self._number), self._content()):
            raise WrongUse(
                "this object store does not support conditional writes (If-None-Match), so two "
                "writers could undo each other's work; use one that does, or a folder as home"
            )

    def _keep(self) -> None:
        while not self._end.wait(self._seconds / 3):
            now_s = _now_s()
            with suppress(StorageFailed):  # `lost` tells when that went on too long
                if not self._overtaken():
                    self._beats += 1
                    self._objects.put(self._name(self._number), self._content())
                    self._fresh_s = now_s

    def _overtaken(self) -> bool:
        listed = self._objects.below(f"{self._folder}/")
        return not listed or listed[-1].name != self._name(self._number)

    def _content(self) -> bytes:
        return json.dumps({"owner": self._owner, "beats": self._beats}).encode()

    def _name(self, number: int) -> str:
        return f"{self._folder}/{number:08d}"


def _number(name: str) -> int:
    return int(name.rpartition("/")[2])


def _now_s() -> float:
    """Seconds that also pass while the machine sleeps, where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

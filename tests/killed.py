"""Processes that kill themselves at a chosen moment, with SIGKILL: nothing is tidied up.

A moment is a call into or out of a function, counted while our own code of the store
(and what it calls on files) runs. Children are forked from a clean server that has
imported everything, so that one takes a few hundredths of a second.
"""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

import cdr

_STORE = Path(str(cdr.__file__)).parent
_COUNTED = (
    str(_STORE / "lake"),
    str(_STORE / "ingest"),
    str(_STORE / "billing"),
    str(_STORE / "lengths.py"),
    str(_STORE / "amend.py"),
    str(_STORE / "reassign.py"),
    str(_STORE / "renumber.py"),
    str(pathlib.__file__).removesuffix("__init__.py"),
    str(shutil.__file__),
)

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["cdr.ingest", "cdr.lake.compact"])


def moments_of(job: Callable[..., object], *args: object) -> int:
    """Run a job to its end and count its moments."""
    ours, theirs = _server.Pipe(duplex=False)
    child = _server.Process(target=_work, args=(theirs, 0, job, args))
    child.start()
    theirs.close()
    child.join()
    assert child.exitcode == 0
    return int(ours.recv())


def spread(count: int, of: int) -> list[int]:
    """Draw moments, one in each of `count` equal stretches."""
    draw = random.Random(of)
    return [draw.randrange(i * of // count, (i + 1) * of // count) + 1 for i in range(count)]


def kill_at(moment: int | tuple[str, int], job: Callable[..., object], *args: object) -> bool:
    """Run a job and kill it at a moment; False where it ended before.

    The moment is its number, or a function's name and how often it has been entered.
    """
    ours, theirs = _server.Pipe(duplex=False)
    child = _server.Process(target=_work, args=(theirs, moment, job, args))
    child.start()
    theirs.close()
    child.join()
    ours.close()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def kill_after(seconds: float, job: Callable[..., object], *args: object) -> bool:
    """Run a job and kill it from outside after some time; False where it ended before."""
    child = _server.Process(target=job, args=args)
    child.start()
    child.join(seconds)
    child.kill()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def started(job: Callable[..., object], *args: object) -> BaseProcess:
    """Start a job in a process of its own and leave it running."""
    child = _server.Process(target=job, args=args)
    child.start()
    return child


def together(*jobs: tuple[Callable[..., object], tuple[object, ...]]) -> list[int | None]:
    """Run jobs side by side, each in its own process; returns their exit codes."""
    children = [_server.Process(target=job, args=args) for job, args in jobs]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return [child.exitcode for child in children]


def _work(
    pipe: Connection,
    moment: int | tuple[str, int],
    job: Callable[..., object],
    args: tuple[object, ...],
) -> None:
    passed, entered = 0, Counter[str]()

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal passed
        if frame.f_code.co_filename.startswith(_COUNTED):
            passed += 1
            entered[frame.f_code.co_name] += event == "call"
            name = frame.f_code.co_name
            if moment in (passed, (name, entered[name])):
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(count)  # of the threads that the job begins
    sys.setprofile(count)
    try:
        job(*args)
    finally:
        sys.setprofile(None)
    pipe.send(passed)

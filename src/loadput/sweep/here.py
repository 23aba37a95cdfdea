"""Jobs by processes on this machine; one that dies takes no other job with it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from ..check.verdict import UNDECIDED
from .plan import Job
from .work import Row, empty, pack, run_packed

TRIES = 2
"""Processes that a job may take with it before it is not decided: memory is what kills them."""
GRACE_S = 60.0
"""What a job may take beyond its time, in steps that look at no clock, before it is killed."""


@dataclass(slots=True)
class _Hand:
    process: Any
    pipe: Connection
    at: int | None = None
    began_s: float = 0.0


def _serve(pipe: Connection) -> None:
    while True:
        try:
            packed = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            pipe.send(run_packed(packed))
        except KeyboardInterrupt:
            return


def run_here(jobs: dict[int, Job], count: int, *, keep: bool) -> Iterator[tuple[int, Row]]:
    """(number, row) of each job as it ends.

    :param count: how many processes
    """
    context = multiprocessing.get_context("spawn")
    todo, tries = list(jobs), dict.fromkeys(jobs, 0)
    hands: list[_Hand] = []

    def start() -> _Hand:
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        return _Hand(process, ours)

    try:
        while todo or any(h.at is not None for h in hands):
            while len(hands) < min(count, len(todo) + sum(h.at is not None for h in hands)):
                hands.append(start())
            for h in hands:
                if h.at is None and todo:
                    h.at, h.began_s = todo.pop(0), time.monotonic()
                    tries[h.at] += 1
                    h.pipe.send(pack(jobs[h.at], carry=False, keep=keep))
            ready = wait([h.pipe for h in hands if h.at is not None], 1.0)
            for h in [h for h in hands if h.at is not None]:
                at = h.at
                assert at is not None
                row, died = _hear(h, jobs[at], h.pipe in ready)
                if died:
                    hands.remove(h)
                    if row is None and tries[at] < TRIES:
                        todo.insert(0, at)
                        continue
                    row = row or empty(UNDECIDED, f"its process died, {TRIES} times")
                if row is not None:
                    h.at = None
                    yield at, row
    finally:
        for h in hands:
            h.process.kill()
            h.process.join()


def _hear(h: _Hand, job: Job, is_ready: bool) -> tuple[Row | None, bool]:
    """What a process has to say of its job, and whether it is gone."""
    if is_ready:
        try:
            row: Row = h.pipe.recv()
            return row, False
        except (EOFError, OSError):
            h.process.join()
            return None, True
    most = job.bounds.max_time
    if most is not None and time.monotonic() - h.began_s > most + GRACE_S:
        h.process.kill()
        h.process.join()
        return empty(UNDECIDED, "time"), True
    return None, False

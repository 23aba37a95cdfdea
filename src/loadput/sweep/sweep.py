"""A sweep: what is kept, what is left to do, and one table whatever the order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..base.kept import Shelf
from ..check.verdict import UNDECIDED, VIOLATED
from .plan import Job
from .work import FAILED, NO_VERDICT, Row, empty

SHELF = "sweep"
Engine = Callable[[dict[int, Job]], Iterator[tuple[int, Row]]]
NOT_BEGUN = "not begun: interrupted"


@dataclass(slots=True)
class Done:
    """What became of a plan.

    :param rows: one per job, in the plan's order; they say nothing of who ran them, or when
    :param seconds: per job, s that it took where it ran; None where it did not
    :param found: how many were kept already
    """

    jobs: Sequence[Job]
    rows: list[Row] = field(default_factory=list)
    seconds: list[float | None] = field(default_factory=list)
    found: int = 0
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """1 a violation or a divergence, 3 a job failed, 4 not decided, 2 no verdict, else 0."""
        said = {r["verdict"] for r in self.rows}
        if said & {VIOLATED, "diverges", "new violation"}:
            return 1
        codes = ((FAILED, 3), (UNDECIDED, 4), ("not judged", 4), (NO_VERDICT, 2))
        return next((code for verdict, code in codes if verdict in said), 0)


def sweep(
    jobs: Sequence[Job],
    engine: Engine,
    *,
    shelf: Shelf | None = None,
    progress: Callable[[int, int, float], None] | None = None,
) -> Done:
    """Every job's row, those that are kept without running them.

    A row is kept as soon as it is there, so that a sweep that was ended goes on where it was. A job
    that failed, or whose process died, is run again next time.

    :param progress: called as each job ends with (done, all, seconds since the first began)
    """
    out = Done(jobs, [{}] * len(jobs), [None] * len(jobs))
    todo = {}
    for i, job in enumerate(jobs):
        row = _find(shelf, job.key)
        if row is None:
            todo[i] = job
        else:
            out.rows[i], out.found = row, out.found + 1
    begin, left = time.monotonic(), len(todo)
    try:
        for i, row in engine(todo):
            out.seconds[i] = row.pop("seconds", None)
            if shelf is not None and out.seconds[i] is not None and row["verdict"] != FAILED:
                shelf.put(jobs[i].key, json.dumps(row).encode())
            out.rows[i] = row
            left -= 1
            if progress is not None:
                progress(len(todo) - left, len(todo), time.monotonic() - begin)
    except KeyboardInterrupt:
        out.interrupted = True
    out.rows = [r or empty(UNDECIDED, NOT_BEGUN) for r in out.rows]
    return out


def _find(shelf: Shelf | None, key: str) -> Row | None:
    data = shelf.get(key) if shelf is not None else None
    if data is None:
        return None
    try:
        row: Any = json.loads(data)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None

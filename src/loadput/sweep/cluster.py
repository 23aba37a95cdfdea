"""Jobs on a Dask cluster: they carry all that they need, and a few are sent ahead."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from ..base.errors import InputError
from ..check.verdict import UNDECIDED
from .plan import Job
from .work import FAILED, REFUSED, Row, empty, pack, run_packed

AHEAD = 2
"""Jobs in flight for each thread of the workers: one runs, one waits there."""


def _on_worker(packed: tuple[str, bytes, bool]) -> tuple[str, Row]:
    distributed: Any = importlib.import_module("distributed")
    return distributed.get_worker().address, run_packed(packed)


def run_on(address: str, jobs: dict[int, Job], *, keep: bool) -> Iterator[tuple[int, Row]]:
    """(number, row) of each job as it ends.

    A worker that has another version of the checker gets no second job.

    :param address: ``HOST:PORT`` of the scheduler
    :raises InputError: LP0546, no Dask here, no scheduler there, or no worker of this version
    """
    if not jobs:
        return
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise _unusable(
            "dask is not installed", "dask[distributed]", "pip install 'loadput[sweep]'"
        ) from None
    try:
        client = distributed.Client(f"tcp://{address}", timeout="20s", set_as_default=False)
    except OSError as e:
        raise _unusable(
            f"no scheduler at {address}", str(e), "loadput sweep PLAN without --on runs it here"
        ) from None
    try:
        yield from _run(distributed, client, jobs, keep)
    finally:
        client.close()


def _unusable(what: str, expected: str, then: str) -> InputError:
    return InputError("LP0546", what, expected=expected, next=then)


def _run(
    distributed: Any, client: Any, jobs: dict[int, Job], keep: bool
) -> Iterator[tuple[int, Row]]:
    todo = list(jobs)
    flying: dict[Any, int] = {}
    refused: set[str] = set()
    done = distributed.as_completed(loop=client.loop)

    def send() -> None:
        threads: dict[str, int] = client.nthreads()
        good = [w for w in threads if w not in refused]
        if refused and not good:
            raise _unusable(
                "no worker has this version of the checker",
                "the same text of loadput, Python and llvmlite on each",
                "install this one on the workers: docs/sweep.md",
            )
        room = AHEAD * max(1, sum(threads[w] for w in good))
        while todo and len(flying) < room:
            i = todo.pop(0)
            packed = pack(jobs[i], carry=True, keep=keep)
            future = client.submit(
                _on_worker, packed, pure=False, workers=good if refused else None
            )
            flying[future] = i
            done.add(future)

    send()
    for future in done:
        i = flying.pop(future)
        error = future.exception() if future.status == "error" else None
        if error is None and future.status == "finished":
            worker, row = future.result()
            if row["verdict"] == REFUSED:
                refused.add(worker)
                todo.insert(0, i)
            else:
                yield i, row
        elif isinstance(error, distributed.KilledWorker):
            yield i, empty(UNDECIDED, "its worker died, each time that it was tried")
        elif error is not None:
            yield i, empty(FAILED, repr(error))
        else:
            todo.insert(0, i)
        future.release()
        send()

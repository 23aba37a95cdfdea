"""Directed yields: how many, and whether the vCPU that was yielded to ran because of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .loads import Outs, by_task, by_vcpu, last_where
from .log import ARCH_LOAD, ARCH_PUT, ENTRY, SCHED_IN, SCHED_OUT, SPIN, YIELD_TO, Log

BOOL = NDArray[np.bool_]


@dataclass(slots=True)
class Yields:
    """Counts: ``spins`` calls of kvm_vcpu_on_spin; ``attempts`` calls of kvm_vcpu_yield_to;
    ``loaded`` whose target was loaded already; ``stayed`` after which the yielder went on without
    being switched out; ``helped`` whose waiting target was loaded before the yielder came back.
    """

    spins: int = 0
    attempts: int = 0
    loaded: int = 0
    stayed: int = 0
    helped: int = 0


def count_yields(log: Log, outs: Outs, use: BOOL) -> Yields:
    """Follow every directed yield to what came of it."""
    rows = log.rows(YIELD_TO)
    spins = int(log.rows(SPIN).size)
    if not rows.size or not outs.start.size:
        return Yields(spins, int(rows.size))
    back = _comes_back(log, rows)
    is_out, next_load = _target(log, rows)
    switched = back >= 0
    came_first = (next_load >= 0) & (next_load < back)
    return Yields(
        spins,
        int(rows.size),
        int((~is_out).sum()),
        int((is_out & ~switched).sum()),
        int((is_out & switched & came_first).sum()),
    )


def _comes_back(log: Log, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    # The row at which the yielder is scheduled in again; -1: it entered the guest before any out.
    order = by_task(log)
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    kind, pid = log.kind[order], log.pid[order]
    at = place[rows]

    def following(kinds: tuple[int, ...]) -> NDArray[np.int64]:
        spots = np.flatnonzero(np.isin(kind, kinds))
        if not spots.size:
            return np.full(at.size, -1, dtype=np.int64)
        near = np.searchsorted(spots, at, "right")
        found = spots[np.minimum(near, spots.size - 1)]
        good = (near < spots.size) & (pid[found] == pid[at])
        return np.where(good, found, -1)

    step = following((SCHED_OUT, ENTRY))
    left = (step >= 0) & (kind[np.maximum(step, 0)] == SCHED_OUT)
    back = following((SCHED_IN,))
    good = left & (back >= 0)
    return np.where(good, order[np.maximum(back, 0)], -1)


def _target(log: Log, rows: NDArray[np.int64]) -> tuple[BOOL, NDArray[np.int64]]:
    # (whether the target was out at the yield, the row of its next load; -1 none)
    order = by_vcpu(log)
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    kind, vcpu = log.kind[order], log.vcpu[order]
    at = place[rows]
    load = last_where(kind == ARCH_LOAD, vcpu)[at]
    put = last_where(kind == ARCH_PUT, vcpu)[at]
    spots = np.flatnonzero(kind == ARCH_LOAD)
    if not spots.size:
        return put > load, np.full(rows.size, -1, dtype=np.int64)
    near = np.searchsorted(spots, at, "right")
    found = spots[np.minimum(near, spots.size - 1)]
    good = (near < spots.size) & (vcpu[found] == vcpu[at])
    return put > load, np.where(good, order[found], -1)

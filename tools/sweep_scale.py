"""What more workers would give a plan: measured with one and two, told for the rest.

``python tools/sweep_scale.py PLAN.toml`` runs every job of the plan on this machine, by one process
and then by two, with nothing kept. From the jobs' own times of the first run it lays the jobs on
1 to 64 workers as a sweep does, the next job to whoever is free first, and prints both: what a
process takes to start is in it, what a network takes is not.
"""

from __future__ import annotations

import heapq
import sys
import time
from collections.abc import Sequence

from loadput.sweep.here import run_here
from loadput.sweep.plan import read_plan
from loadput.sweep.sweep import sweep

WORKERS = (1, 2, 4, 8, 16, 32, 64)


def laid(seconds: Sequence[float], workers: int, start_s: float) -> float:
    """When the last of the jobs ends, s, each begun by the first worker that is free."""
    free = [start_s] * workers
    for s in seconds:
        heapq.heapreplace(free, free[0] + s)
    return max(free)


def main(plan: str) -> None:
    """Measure and print."""
    jobs = read_plan(plan)
    wall, own = {}, {}
    for n in (1, 2):
        begin = time.monotonic()
        done = sweep(jobs, lambda todo, n=n: run_here(todo, n, keep=False))
        wall[n] = time.monotonic() - begin
        own[n] = [s or 0.0 for s in done.seconds]
    start_s = max(0.0, wall[1] - sum(own[1]))
    print(f"{len(jobs)} jobs, {sum(own[1]):.1f} s of their own, the longest {max(own[1]):.1f} s")
    print(f"{'workers':>7s} {'told':>8s} {'measured':>9s} {'times':>6s}")
    for n in WORKERS:
        told = laid(own[1], n, start_s)
        seen = f"{wall[n]:.1f}" if n in wall else ""
        print(f"{n:>7d} {told:>8.1f} {seen:>9s} {laid(own[1], 1, start_s) / told:>6.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])

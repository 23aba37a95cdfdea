"""How fast ``loadput conform`` runs, reading included.

    python bench/conform_speed.py RECORDING...

Each in a fresh process, three times, the least CPU time (user and system) taken: against the
release that fits, and against all of them. Prints a table; passes or fails on nothing. "again" is
the second run of the same process, without imports and the linking of the specification. Memory is
above that of an empty Python with NumPy, over the size of all events' columns.
"""

from __future__ import annotations

import os
import subprocess
import sys

ROUNDS = 3
# With the bytecode that an installed package has.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
OURS = """
import resource, sys, time
import numpy
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
base, start = peak(), time.process_time()
from loadput.conform import conform_trace
from loadput.trace import read_trace
path, release = sys.argv[1], sys.argv[2]
result = conform_trace(read_trace(path), release=release)
first, high = time.process_time() - start, peak() - base
start = time.process_time()
conform_trace(read_trace(path), release=release)
again = time.process_time() - start
trace = read_trace(path)
names = [n for n in trace.events() if not n.startswith("unknown:")]
size = sum(c.nbytes for n in names for c in trace.columns(n).values())
print(result.event_count, first, again, high / size, result.release)
"""


def measure(path: str, release: str) -> tuple[int, float, float, float, str]:
    """(events, CPU seconds, CPU seconds of the second run, memory / table, release)."""
    rows = []
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", OURS, path, release]
        text = subprocess.check_output(command, text=True, env=ENVIRONMENT)
        events, first, again, memory, fits = text.split()
        rows.append((int(events), float(first), float(again), float(memory), fits))
    best = [min(column) for column in list(zip(*rows, strict=True))[1:4]]
    return rows[0][0], best[0], best[1], best[2], rows[0][4]


def main() -> None:
    print(f"{'CPU seconds, least of ' + str(ROUNDS):34}{'':9}{'one release':>24}{'all':>8}{'':>8}")
    print(
        f"{'recording':34}{'events':>9}{'first':>8}{'again':>8}{'M ev/s':>8}{'again':>8}{'mem':>8}"
    )
    for path in sys.argv[1:]:
        events, _, all_again, memory, fits = measure(path, "")
        _, first, again, _, _ = measure(path, fits)
        print(
            f"{'/'.join(path.split('/')[-2:]):34}{events:9,}{first:8.2f}{again:8.2f}"
            f"{events / again / 1e6:8.2f}{all_again:8.2f}{memory:7.1f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()

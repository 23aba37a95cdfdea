"""Reading recordings to columns against ``trace-cmd report`` and ``perf script``.

    python bench/trace_readers.py [RECORDING...]

Without arguments, the recordings in ../shared/traces. Prints a table; passes or fails on nothing.
Each is run in turn with its peer, three times, and the least CPU time (user and system) of each
side is taken: the machine may be shared. Ours: a fresh process that decodes every field of every
event to columns; "in process" leaves out the start of Python and NumPy.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 3
OURS = """
import sys, time
import numpy
start = time.process_time()
from loadput.trace import read_trace
trace = read_trace(sys.argv[1])
counts = trace.events()
names = [n for n in counts if not n.startswith("unknown:")]
columns = trace.column_set(dict.fromkeys(names))
spent = time.process_time() - start
size = sum(c.nbytes for cols in columns.values() for c in cols.values())
import resource
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(sum(counts.values()), spent, size, peak)
"""
BASELINE = (
    "import resource, numpy; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
)
# One thread; and with the bytecode that an installed package has.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


def cpu_seconds(command: list[str]) -> tuple[float, float, str]:
    """(CPU seconds, wall seconds, output) of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    ours = command[0] == sys.executable
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE if ours else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        env=ENVIRONMENT,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return spent, wall, done.stdout.decode() if ours else ""


def measure(path: Path) -> str:
    """One line of the table."""
    is_perf = path.read_bytes()[:8] == b"PERFILE2"
    peer = ["perf", "script", "-i", str(path)] if is_perf else ["trace-cmd", "report", str(path)]
    base = float(subprocess.check_output([sys.executable, "-c", BASELINE]))
    peers, whole, inside = [], [], []
    events = size = peak = 0.0
    for _ in range(ROUNDS):
        peers.append(cpu_seconds(peer)[0])
        spent, _, text = cpu_seconds([sys.executable, "-c", OURS, str(path)])
        whole.append(spent)
        events, used, size, peak = map(float, text.split())
        inside.append(used)
    theirs, all_of_it, in_process = min(peers), min(whole), min(inside)
    return (
        f"{path.parent.name + '/' + path.name:32}{events:9,.0f}{theirs:8.2f}{in_process:8.3f}"
        f"{events / in_process / 1e6:7.2f}{theirs / in_process:7.1f}x{theirs / all_of_it:7.1f}x"
        f"{(peak - base) / size:7.1f}x"
    )


def main() -> None:
    root = Path(__file__).resolve().parent.parent.parent / "shared" / "traces"
    paths = [Path(a) for a in sys.argv[1:]] or sorted(
        p for p in root.glob("*/*") if p.name in ("trace.dat", "record.dat", "perf.data")
    )
    print(
        f"{'CPU seconds, least of ' + str(ROUNDS):32}{'':9}{'peer':>8}{'ours':>8}{'':7}"
        f"{'in':>7} {'whole':>7} {'memory/':>7}"
    )
    print(
        f"{'recording':32}{'events':>9}{'':8}{'':8}{'M ev/s':>7}{'process':>8}{'process':>8}"
        f"{'table':>8}"
    )
    for path in paths:
        print(measure(path), flush=True)


if __name__ == "__main__":
    main()

"""A large trace.dat, and how long and how much memory reading it takes.

    python bench/trace_big.py make IN.dat OUT.dat --size 1000     (MB)
    python bench/trace_big.py read BIG.dat                        against trace-cmd report

``make`` repeats the real pages of a recording with their clocks shifted, uncompressed. ``read``
decodes the fields of all kv, kvm and sched events and prints events/s, the size of the columns and
the peak memory above that of an empty Python with NumPy.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))


def make(source: str, target: str, megabytes: int) -> None:
    """Write the pages of ``source`` again and again; each round starts where the last ended."""
    from cut_trace import PAGE, Writer, probed_symbols, unpacked

    from loadput.trace.cursor import read_bytes
    from loadput.trace.formats.tracedat import open_tracedat
    from loadput.trace.raw import RawBackend
    from loadput.trace.table import Trace

    opened = open_tracedat(read_bytes(source), source)
    trace = Trace(RawBackend(opened))
    whole = unpacked(opened)
    first, last = trace.time_range()
    rounds = max(1, megabytes * 10**6 // sum(v.size for v in whole.values()))
    cpus = {}
    for cpu, data in whole.items():
        out = np.tile(data.reshape(-1, PAGE), (rounds, 1))
        stamps = out.view("<u8")[:, 0]
        per_round = data.size // PAGE
        shift = np.arange(rounds, dtype=np.uint64) * np.uint64(last - first + 1_000_000)
        stamps += np.repeat(shift, per_round)
        shift_stamps(data, out.view("<u4").reshape(rounds, -1), shift)
        cpus[cpu] = out.tobytes()
    used = {n for n, _, _ in opened.meta.by_id.items()}
    writer = Writer(opened.meta, used, probed_symbols(trace), "none")
    Path(target).write_bytes(writer.version7(cpus))
    print(f"{target}: {rounds} rounds, {Path(target).stat().st_size / 1e6:,.0f} MB")


def shift_stamps(data: np.ndarray, rounds: np.ndarray, shift: np.ndarray) -> None:
    """Move the absolute time stamps that stand between events, as the pages' own were moved."""
    from loadput.trace.pages import COMMIT_MASK, TYPE_STAMP, _mark_entries

    words, heads = data.view("<u4"), data.reshape(-1, 4096).view("<u8")
    start = np.arange(heads.shape[0], dtype=np.int64) * 1024 + 4
    size = (heads[:, 1].astype(np.int64) & COMMIT_MASK) + 3 >> 2
    found = np.flatnonzero(_mark_entries(words, start, start + size, [], 4096))
    at = found[(words[found] & 31) == TYPE_STAMP]
    value = (words[at] >> 5).astype(np.uint64) | words[at + 1].astype(np.uint64) << np.uint64(27)
    for row, by in zip(rounds, shift, strict=True):
        moved = value + by
        row[at] = (moved.astype(np.uint32) & np.uint32((1 << 27) - 1)) << np.uint32(5) | TYPE_STAMP
        row[at + 1] = (moved >> np.uint64(27)).astype(np.uint32)


def peak() -> float:
    """Peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def mapped() -> float:
    """Pages of mapped files in memory, in MB: the system takes them back when it needs them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(x.split()[1]) for x in lines if x.startswith("RssFile")) / 1024


def read(path: str, columns: list[str], peer: bool) -> None:
    """Read once and print what it took; then the peer."""
    from loadput.trace import read_trace

    base = peak()
    start, used = time.perf_counter(), time.process_time()
    trace = read_trace(path)
    counts = trace.events()
    total = sum(counts.values())
    counted = time.process_time() - used
    names = [n for n in columns or counts if not n.startswith("unknown:")]
    got = trace.column_set(dict.fromkeys(names))
    spent, wall = time.process_time() - used, time.perf_counter() - start
    size = sum(c.nbytes for cols in got.values() for c in cols.values()) / 1e6
    above, files = peak() - base, mapped()
    print(f"{total:,} events of {Path(path).stat().st_size / 1e6:,.0f} MB")
    print(
        f"count: {counted:.2f} s CPU; all: {spent:.2f} s CPU, {wall:.2f} s, "
        f"{total / spent / 1e6:.2f} M events/s"
    )
    print(
        f"columns {size:,.0f} MB; peak {above:,.0f} MB above the start, at most {files:,.0f} MB "
        "of it pages of the mapped file"
    )
    if peer:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["trace-cmd", "report", path], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        theirs = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        print(
            f"trace-cmd report: {theirs:.2f} s CPU, {total / theirs / 1e6:.2f} M events/s; "
            f"ratio {theirs / spent:.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    sub = parser.add_subparsers(dest="verb", required=True)
    maker = sub.add_parser("make")
    maker.add_argument("source")
    maker.add_argument("target")
    maker.add_argument("--size", type=int, default=1000, help="MB of pages")
    reader = sub.add_parser("read")
    reader.add_argument("path")
    reader.add_argument("--events", nargs="*", default=[], help="decode these only")
    reader.add_argument("--no-peer", action="store_true")
    args = parser.parse_args()
    if args.verb == "make":
        make(args.source, args.target, args.size)
    else:
        read(args.path, args.events, not args.no_peer)


if __name__ == "__main__":
    main()

"""A large recording, and how long and how much memory reading it takes.

    python bench/trace_big.py make IN OUT --size 1000     (MB; trace.dat or perf.data)
    python bench/trace_big.py read BIG                    against trace-cmd report or perf script

``make`` repeats the real pages (or samples) of a recording with their clocks shifted, uncompressed.
``read`` decodes the fields of all events and prints events/s, the size of the columns and the peak
memory above that of an empty Python with NumPy, three times, each in a process of its own.
"""

from __future__ import annotations

import argparse
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from loadput.trace.cursor import Buffer
    from loadput.trace.formats.perfdata import PerfData
    from loadput.trace.formats.tracedat import TraceDat

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))


def make(source: str, target: str, megabytes: int) -> None:
    """Write the pages of ``source`` again and again; each round starts where the last ended."""
    from loadput.trace.cursor import read_bytes
    from loadput.trace.formats.perfdata import is_perfdata, open_perfdata
    from loadput.trace.formats.tracedat import open_tracedat

    data = read_bytes(source)
    if is_perfdata(data):
        rounds = make_perf(data, open_perfdata(data, source), target, megabytes)
    else:
        rounds = make_pages(open_tracedat(data, source), target, megabytes)
    print(f"{target}: {rounds} rounds, {Path(target).stat().st_size / 1e6:,.0f} MB")


def make_pages(opened: TraceDat, target: str, megabytes: int) -> int:
    """The pages of a trace.dat, as version 7."""
    from cut_trace import PAGE, Writer, probed_symbols, unpacked

    from loadput.trace.raw import RawBackend
    from loadput.trace.table import Trace

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
    return rounds


def shift_stamps(data: np.ndarray, rounds: np.ndarray, shift: np.ndarray) -> None:
    """Move the absolute time stamps that stand between events, as the pages' own were moved."""
    words = data.view("<u4")
    at = np.array([i for page in range(0, data.size, 4096) for i in stamps_of(words, page // 4)])
    if not at.size:
        return
    value = (words[at] >> 5).astype(np.uint64) | words[at + 1].astype(np.uint64) << np.uint64(27)
    for row, by in zip(rounds, shift, strict=True):
        moved = value + by
        row[at] = (moved.astype(np.uint32) & np.uint32((1 << 27) - 1)) << np.uint32(5) | 31
        row[at + 1] = (moved >> np.uint64(27)).astype(np.uint32)


def stamps_of(words: np.ndarray, start: int) -> Iterator[int]:
    """Where the absolute time stamps of one page stand, in words."""
    page = words[start : start + 1024].tolist()
    at, stop = 4, 4 + (((page[2] & (1 << 27) - 1) + 3) >> 2)
    while at < stop:
        kind, second = page[at] & 31, page[at + 1] if at + 1 < stop else 0
        if kind == 31:
            yield start + at
        if kind == 29 and not page[at] >> 5:
            return
        step = {0: 1 + (second + 3) // 4, 29: 1 + (second + 3) // 4, 30: 2, 31: 2}
        at += step.get(kind, 1 + kind)


def make_perf(data: Buffer, source: PerfData, target: str, megabytes: int) -> int:
    """The records of a perf.data in file mode: header and features stay where they are."""
    records = bytes(data[source.start : source.end])
    places, pos = [], 0
    while pos < len(records):
        kind, _, size = struct.unpack_from("<IHH", records, pos)
        if kind == 9:
            places.append(pos + source.attrs[0].offset_of(1 << 2))
        pos += size
    one = np.frombuffer(records, np.uint8).copy()
    times = one[np.array(places)[:, None] + np.arange(8)].view("<u8")[:, 0]
    step = int(times.max() - times.min()) + 1_000_000
    rounds = max(1, megabytes * 10**6 // len(records))
    head = bytearray(data[: source.start])
    struct.pack_into("<Q", head, 48, len(records) * rounds)
    moved = len(records) * (rounds - 1)
    tail = bytearray(data[source.end :])
    for at in range(0, sum(bin(b).count("1") for b in head[72:104]) * 16, 16):
        struct.pack_into("<Q", tail, at, struct.unpack_from("<Q", tail, at)[0] + moved)
    with open(target, "wb") as out:
        out.write(head)
        for by in range(rounds):
            rows = (times + np.uint64(by * step)).astype("<u8").view(np.uint8).reshape(-1, 8)
            one[np.array(places)[:, None] + np.arange(8)] = rows
            out.write(one.tobytes())
        out.write(tail)
    return rounds


def peak() -> float:
    """Peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def mapped() -> float:
    """Pages of mapped files in memory, in MB: the system takes them back when it needs them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(x.split()[1]) for x in lines if x.startswith("RssFile")) / 1024


def read(path: str, columns: list[str]) -> None:
    """Read once and print what it took."""
    from loadput.trace import read_trace

    base, before = peak(), resource.getrusage(resource.RUSAGE_SELF)
    start, used = time.perf_counter(), time.process_time()
    trace = read_trace(path)
    counts = trace.events()
    total = sum(counts.values())
    counted = time.process_time() - used
    names = [n for n in columns or counts if not n.startswith("unknown:")]
    got = trace.column_set(dict.fromkeys(names))
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - start
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    size = sum(c.nbytes for cols in got.values() for c in cols.values()) / 1e6
    above, files, spent = peak() - base, mapped(), user + system
    print(
        f"{total:,} events; count {counted:.2f} s CPU; all {spent:.2f} s CPU ({user:.2f} user, "
        f"{system:.2f} system), {wall:.2f} s, {total / spent / 1e6:.1f} M events/s"
    )
    print(
        f"  columns {size:,.0f} MB; peak {above:,.0f} MB above the start, at most {files:,.0f} MB "
        "of it pages of the mapped file",
        flush=True,
    )


def run_peer(path: str) -> None:
    """What the usual tool takes for its text of the same file."""
    is_perf = Path(path).open("rb").read(8) == b"PERFILE2"  # noqa: SIM115
    tool = ["perf", "script", "-i", path] if is_perf else ["trace-cmd", "report", path]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(tool, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    theirs = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    print(f"{' '.join(tool[:2])}: {theirs:.2f} s CPU")


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
    reader.add_argument("--once", action="store_true", help="in this process, without the peer")
    args = parser.parse_args()
    if args.verb == "make":
        make(args.source, args.target, args.size)
    elif args.once:
        read(args.path, args.events)
    else:
        # The first time that a virtual machine touches memory its host has to find it, which may
        # take longer than all else: three fresh processes.
        again = [sys.executable, __file__, "read", args.path, "--once"]
        for _ in range(3):
            subprocess.run([*again, *(["--events", *args.events] if args.events else [])])
        run_peer(args.path)


if __name__ == "__main__":
    main()

"""``make mutate``: damage every kernel function of the specification, and see who notices.

Each mutant is one function damaged in one place (tools/mutation/damage.py), decided on small
scenarios, the museum's and then ``default`` (tools/mutation/verdict.py). Results are kept in
tools/mutation/kept with a digest of what each rests on, a line as soon as it is there, so that one
that is killed goes on where it was, and a second run, of whoever has the repository, does what has
changed.
Writes docs/mutation.md, unless only a part was asked for.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from mutation.damage import Mutant, mutants
from mutation.late import decide_late
from mutation.report import write_report
from mutation.same import MOST
from mutation.verdict import LAST_BOUND, Field, Result

from loadput.link.overlay import find_overlays

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "tools" / "mutation" / "kept"
TOGETHER = 24
"""Mutants in one machine."""
TASKS_PER_PROCESS = 8
"""Machine code of many mutants is memory that a process does not give back."""

field: Field | None = None
todo: list[Mutant] = []


def decide(numbers: list[int]) -> list[tuple[int, Result]]:
    """In a worker: the mutants of those numbers, together."""
    assert field is not None
    found = field.decide([todo[i] for i in numbers])
    return list(zip(numbers, found, strict=True))


class Kept:
    """Results of former runs, one a line."""

    def __init__(self, arch: str) -> None:
        self.file = KEPT / f"{arch}.jsonl"
        self.rows: dict[str, tuple[str, Result]] = {}
        if self.file.is_file():
            whole = self.file.read_bytes().rpartition(b"\n")[0] + b"\n"
            if whole != self.file.read_bytes():
                # It was killed while it wrote the last line.
                self.file.write_bytes(whole if whole != b"\n" else b"")
            for line in whole.decode("utf-8").split("\n"):
                if line:
                    row = json.loads(line)
                    key = row.pop("key")
                    self.rows[row["name"]] = key, Result(**row)

    def find(self, m: Mutant, ground: Field) -> Result | None:
        """What was found of ``m``, where all that it rests on is the same."""
        key, r = self.rows.get(m.name, ("", None))
        return r if r is not None and key == ground.key(m, r) else None

    def add(self, key: str, r: Result) -> None:
        """Keep one more."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as f:
            f.write(_line(key, r))
            f.flush()
            os.fsync(f.fileno())

    def tidy(self, rows: list[tuple[str, Result]]) -> None:
        """Only these from now on, in this order."""
        if rows:
            new = self.file.with_suffix(".new")
            new.write_text("".join(_line(*row) for row in rows), "utf-8")
            new.replace(self.file)


def _line(key: str, r: Result) -> str:
    return json.dumps({"key": key, **asdict(r)}) + "\n"


def run(
    arch: str, jobs: int, only: str, fresh: bool, until: float
) -> tuple[list[Result], int, Field]:
    """Decide every mutant of ``arch``: results in the order of the mutants, and how many are left.

    :param until: when to stop, of time.monotonic()
    """
    global field, todo
    field, kept = Field(arch), Kept(arch)
    todo = [m for m in own_mutants(arch, field) if only in m.name]
    found = [None if fresh else kept.find(m, field) for m in todo]
    left = [i for i, r in enumerate(found) if r is None]
    tell(f"{arch}: {len(todo)} mutants, {len(left)} to run on {jobs} processes")
    gc.freeze()
    begin, n = time.monotonic(), 0
    batches = [left[i : i + TOGETHER] for i in range(0, len(left), TOGETHER)]
    for rows in _results(batches if begin < until else [], jobs):
        for i, r in rows:
            kept.add(field.key(todo[i], r), r)
            found[i] = r
        n += len(rows)
        rest = (time.monotonic() - begin) / n * (len(left) - n)
        caught = sum(r.state == "caught" for i in left if (r := found[i]) is not None)
        tell(f"{arch}: {n} of {len(left)}, {caught} caught, about {rest / 60:.1f} min left")
        if time.monotonic() > until:
            break
    done = [r for r in found if r is not None]
    if not only:
        kept.tidy([(field.key(m, r), r) for m, r in zip(todo, found, strict=True) if r])
    return done, len(found) - len(done), field


def own_mutants(arch: str, ground: Field) -> list[Mutant]:
    """The mutants of ``arch``; where it is laid over another that is damaged too, its own alone."""
    overlays = find_overlays("arch")
    parent = overlays.get(overlays[arch].parent)
    every = mutants(ground.program)
    if parent is None or parent.abstract:
        return every
    return [m for m in every if m.fn.origin == overlays[arch].label]


def _results(batches: list[list[int]], jobs: int) -> Iterator[list[tuple[int, Result]]]:
    if jobs == 1 or len(batches) < 2:
        yield from map(decide, batches)
        return
    context = multiprocessing.get_context("fork")
    with context.Pool(jobs, maxtasksperchild=TASKS_PER_PROCESS) as pool:
        yield from pool.imap_unordered(decide, batches)


def tell(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """The command."""
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    known = [n for n, v in find_overlays("arch").items() if not v.abstract]
    p.add_argument("--arch", action="append", choices=known, help="may be repeated; default: all")
    p.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--only", default="", help="mutants whose name has this in it")
    p.add_argument("--fresh", action="store_true", help="run again what is kept")
    p.add_argument("--minutes", type=float, default=1e6, help="stop after so many; go on next time")
    p.add_argument("--list", action="store_true", help="print each mutant's result")
    p.add_argument(
        "--late", action="store_true", help="barriers and atomics alone, where stores are late"
    )
    args = p.parse_args()
    if args.late:
        for arch in args.arch or ("svm", "vmx", "s390"):
            for r in decide_late(arch, args.only):
                print(f"{arch} {r.state} {r.mutant.what} {r.mutant.place}: {r.why}", flush=True)
        return
    gc.set_threshold(100_000, 50, 100)  # trees of which little is garbage
    begin = time.monotonic()
    found = {}
    for arch in args.arch or known:
        until = begin + 60 * args.minutes
        results, left, ground = run(arch, args.jobs, args.only, args.fresh, until)
        found[arch] = (results, left, [(g.name, g.states, g.whole) for g in ground.grounds])
        for r in results if args.list else ():
            print(f"{arch} {r.state} {r.by or r.scenario} {r.name}: {r.what} {r.place}")
    minutes = (time.monotonic() - begin) / 60
    if not args.only and not args.arch:
        write_report(ROOT / "docs" / "mutation.md", found, bound=LAST_BOUND, most=MOST)
        tell(f"docs/mutation.md, {minutes:.0f} min")


if __name__ == "__main__":
    main()

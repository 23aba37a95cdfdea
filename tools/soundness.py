"""``make soundness``: programs that nobody wrote, decided in every way there is.

Draws programs (tools/sound/draw.py): a shipped program with a few statements changed, a small
scenario. Each is decided without fusing, reductions and forgetting, and then by default, by the
interpreter and by SPIN, each fourth also with each of these alone: verdicts are compared property
by property. What disagrees is made smaller and written as a folder. Results are kept in
build/soundness, so that a second run goes on where the first ended.

With --shipped, the shipped scenarios, twins and entries of the museum instead of drawn programs.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path

from sound.compare import Bounds
from sound.report import put, tables
from sound.run import KEPT, ROOT, Done, Kept, drawn, run, shipped
from sound.shrink import shrink, write_folder

PAGE = ROOT / "docs" / "reductions.md"
MOST, MOST_SHIPPED = 2_000_000, 20_000_000


def tell(n: int, of: int, d: Done) -> None:
    """Progress, on standard error."""
    r = d.row
    said = r.error or "; ".join(f"{w}: {s}" for w, s in r.disagree.items()) or f"{r.states} states"
    print(f"{n}/{of} {d.name} {d.case.arch} {' '.join(d.case.kinds)}: {said}"[:300],
          file=sys.stderr, flush=True)  # fmt: skip


def write_found(done: list[Done], bounds: Bounds, at: Path) -> None:
    """Make each program that disagrees smaller, and write it."""
    for d in done:
        if d.row.disagree:
            small, row = shrink(d.case, d.row, bounds, lambda line: print(line, file=sys.stderr))
            print(f"{d.name}: {at / write_folder(small, row, at)}", flush=True)


def main() -> None:
    """The command."""
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--programs", type=int, default=2000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", type=int, help="one drawn program, by its number")
    p.add_argument("--shipped", nargs="?", const="", help="shipped ones whose name has this in it")
    p.add_argument("--most", type=int, help=f"states, {MOST:,}; of shipped ones {MOST_SHIPPED:,}")
    p.add_argument(
        "--spin", type=int, default=60_000, help="unfused states up to which SPIN is asked"
    )
    p.add_argument("--interp", type=int, default=8_000, help="states that the interpreter looks at")
    p.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--found", type=Path, default=KEPT / "found", help="where disagreements go")
    p.add_argument("--write", action="store_true", help="put the tables into docs/reductions.md")
    args = p.parse_args()
    gc.set_threshold(100_000, 50, 100)  # trees of which little is garbage
    most = args.most or (MOST if args.shipped is None else MOST_SHIPPED)
    bounds = Bounds(most=most, spin=args.spin, interp=args.interp)
    if args.only is not None:
        from sound.run import Job, do

        done = [do(Job(f"{args.seed}:{args.only}", args.seed, args.only), bounds)]
    elif args.shipped is not None:
        jobs = [j for j in shipped() if args.shipped in j.name]
        done = run(jobs, bounds, Kept("shipped"), args.jobs, tell)
    else:
        done = drawn(args.seed, args.programs, bounds, Kept("drawn"), args.jobs, tell)
    command = "make soundness" if args.shipped is None else "tools/soundness.py --shipped"
    text = tables(done, command)
    print(text)
    write_found(done, bounds, args.found)
    if args.write:
        put(PAGE, "drawn" if args.shipped is None else "shipped", text)


if __name__ == "__main__":
    main()

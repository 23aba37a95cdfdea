"""``make bench``: loadput beside SPIN and rumur on the same exported models; growth; start-up.

Whole processes, cold caches for compiled code, in one run, medians. It prints tables and writes
them to bench/README.md; it never passes or fails on time.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOADPUT = str(Path(sys.executable).with_name("loadput"))
MARK = ("<!-- made by make bench -->", "<!-- end -->")


def shell(command: str, folder: Path) -> tuple[float, str]:
    """Run ``command`` in ``folder``; return seconds and output. A failure is an error."""
    env = {k: v for k, v in os.environ.items() if k != "CFLAGS"}
    begin = time.perf_counter()
    done = subprocess.run(
        command, shell=True, cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return seconds, done.stdout + done.stderr


def states_in(text: str) -> int:
    """The number of states that a tool's output names."""
    for pattern in (
        r"explored\s+([\d,]+) states",
        r"^\s*(\d+) states, stored",
        r"^\s*([\d]+) states,",
    ):
        m = re.search(pattern, text, re.M)
        if m:
            return int(m[1].replace(",", ""))
    raise SystemExit(f"no number of states in:\n{text[-2000:]}")


def median(runs: int, once: Callable[[], tuple[float, int]]) -> tuple[float, int]:
    """The median of ``runs`` times, and the number of states, which must not differ."""
    rows = [once() for _ in range(runs)]
    assert len({n for _, n in rows}) == 1, rows
    return statistics.median(t for t, _ in rows), rows[0][1]


SPIN = (
    "spin -a -o1 -o2 -o3 m.pml",
    "gcc -O3 -march=native -DNOREDUCE -DSAFETY -DMEMLIM=20000 pan.c -o pan",
    "./pan -m10000000 -E -c0 -w26",
)
RUMUR = (
    "rumur --symmetry-reduction off --deadlock-detection off --threads {threads} m.m -o m.c",
    "gcc -std=c11 -O3 -march=native m.c -lpthread -mcx16 -o m",
    "./m",
)


def in_turn(folder: Path, *commands: str) -> Callable[[], tuple[float, int]]:
    """Runs ``commands``; seconds in all, states that the last one printed."""

    def once() -> tuple[float, int]:
        total, out = 0.0, ""
        for c in commands:
            t, out = shell(c, folder)
            total += t
        return total, states_in(out)

    return once


def peers(name: str, options: str, model: dict[str, str], runs: int) -> list[list[str]]:
    """One program in every tool: rows of (tool, seconds, states, ratio to one thread of ours)."""
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        for target, text in model.items():
            (folder / target).write_text(text)
        ways: dict[str, tuple[str, ...]] = {}
        for n, word in ((1, "1 thread"), (2, "2 threads")):
            ways[f"loadput, {word}"] = (f"{LOADPUT} check {options} --threads {n}",)
        ways |= {"SPIN, whole": SPIN, "SPIN, pan alone": SPIN[2:]}
        for n, word in ((1, "1 thread"), (2, "2 threads")):
            ways[f"rumur, {word}"] = tuple(c.format(threads=n) for c in RUMUR)
        rows = [(w, *median(runs, in_turn(folder, *commands))) for w, commands in ways.items()]
    one, two = rows[0][1], rows[1][1]
    out = []
    for tool, s, states in rows:
        out.append([name, tool, f"{s:.1f}", f"{states:,}", f"{s / one:.1f}", f"{s / two:.1f}"])
        print("  ".join(out[-1]), flush=True)
    if len({s for _, _, s in rows}) != 1:
        out.append([name, "STATES DIFFER", "", "", "", ""])
    return out


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(r) + " |" for r in rows)]) + "\n"


def growth() -> list[list[str]]:
    """One family: what a second thread does, added word by word."""
    rows = []
    words = ["run", "spin", "ioctl", "fs"]
    with tempfile.TemporaryDirectory() as tmp:
        for cpus in ("[0]", "[0, 1]"):
            for k in range(1, len(words) + 1):
                does = ", ".join(f'"{w}"' for w in words[:k])
                scenario = Path(tmp) / "s.toml"
                scenario.write_text(
                    'cpus = 2\nvms = [0, 0]\n[[task]]\nruns = "vcpu_thread"\nvcpu = 0\n'
                    'does = ["run", "ioctl", "fs", "halt", "irq"]\n[[task]]\n'
                    f'runs = "vcpu_thread"\nvcpu = 1\ndoes = [{does}]\ncpus = {cpus}\n'
                )
                t, out = shell(
                    f"{LOADPUT} check --arch riscv --scenario {scenario} --stats"
                    " --max-states 120000000",
                    Path(tmp),
                )
                m = re.search(r"(\d+) bytes a state", out)
                search = re.search(r"search\s+([\d.]+) s", out)
                states = states_in(out)
                rows.append(
                    [
                        f"{', '.join(words[:k])} on {cpus}",
                        f"{states:,}",
                        f"{t:.1f}",
                        search[1] if search else "",
                        m[1] if m else "",
                    ]
                )
                print("  ".join(rows[-1]), flush=True)
    return rows


def fit(rows: list[list[str]]) -> str:
    """The exponent of time in states, by least squares on logarithms."""
    import math

    points = [
        (math.log(int(r[1].replace(",", ""))), math.log(float(r[3] or 0.01)))
        for r in rows
        if float(r[3] or 0) > 0.05
    ]
    if len(points) < 2:
        return "too few points for a fit"
    mx, my = (sum(v) / len(points) for v in zip(*points, strict=True))
    slope = sum((x - mx) * (y - my) for x, y in points) / sum((x - mx) ** 2 for x, _ in points)
    return f"search time grows as states^{slope:.2f}, over {len(points)} points"


def startup(runs: int) -> list[list[str]]:
    """Verbs as a user waits for them."""
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        for command in ("--help", "check --scenario one", "check", "compare"):
            n = 1 if command == "compare" else runs
            times = [shell(f"{LOADPUT} {command}", Path(tmp))[0] for _ in range(n)]
            rows.append([f"`loadput {command}`", f"{statistics.median(times):.2f}"])
            print("  ".join(rows[-1]), flush=True)
    _, out = shell(
        f"{sys.executable} -X importtime -c 'import loadput.cli.main' 2>&1 | wc -l", HERE
    )
    rows.append(["modules imported for --help", out.strip()])
    _, out = shell(f"du -sm {Path(sys.executable).parent.parent}", HERE)
    rows.append(["installed environment, MB (tests' tools included)", out.split()[0]])
    return rows


def models() -> dict[str, tuple[str, dict[str, str]]]:
    """The programs: options of check, and the exported text per file name."""
    options = "--arch svm --scenario bench10m"
    out = {}
    for target, name in (("promela", "m.pml"), ("murphi", "m.m")):
        _, text = shell(f"{LOADPUT} export --to {target} {options}", HERE)
        out[name] = text
    return {"design D on SVM, bench10m": (f"{options} --no-reduction", out)}


def machine() -> str:
    """The machine, in one line."""
    cpu = next(
        (
            ln.split(":")[1].strip()
            for ln in Path("/proc/cpuinfo").read_text().split("\n")
            if "model name" in ln
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores, {cpu}; Python {platform.python_version()}"


def main() -> None:
    """Run everything, or the part that is named; write bench/README.md when everything ran."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=["peers", "growth", "startup"])
    args = parser.parse_args()
    missing = [t for t in ("spin", "rumur", "gcc") if not shutil.which(t)]
    if missing:
        raise SystemExit(f"make bench needs {', '.join(missing)}: apt-get install spin rumur gcc")
    parts = [
        f"Machine: {machine()}. Load at the start: {os.getloadavg()[0]:.1f}."
        f" Medians of {args.runs}.\n"
    ]
    if args.only in (None, "peers"):
        rows = []
        for name, (options, model) in models().items():
            rows += peers(name, options, model, args.runs)
        head = ["program", "tool", "seconds", "states", "times ours on 1", "times ours on 2"]
        parts += ["## The same program in other checkers\n", table(head, rows)]
    if args.only in (None, "growth"):
        rows = growth()
        head = ["second thread", "states", "whole s", "search s", "bytes a state"]
        parts += ["## Growth\n", table(head, rows), fit(rows) + "\n"]
    if args.only in (None, "startup"):
        parts += ["## Waiting\n", table(["what", "seconds"], startup(args.runs))]
    text = "\n".join(parts)
    print(text)
    if args.only is None:
        page = HERE / "README.md"
        old = page.read_text()
        before, after = old.split(MARK[0])[0], old.split(MARK[1])[1]
        page.write_text(f"{before}{MARK[0]}\n{text}{MARK[1]}{after}")


if __name__ == "__main__":
    main()

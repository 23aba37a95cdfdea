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
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOADPUT = str(Path(sys.executable).with_name("loadput"))
THREADS = ("1 thread", "2 threads")


def shell(command: str, folder: Path, cache: Path | None = None) -> tuple[float, str]:
    """Run ``command`` in ``folder``; return seconds and output. A failure is an error.

    :param cache: where results and machine code are kept; None: nothing is there, nor will be
    """
    if cache is None:
        with tempfile.TemporaryDirectory() as empty:
            return shell(command, folder, Path(empty))
    env = {k: v for k, v in os.environ.items() if k != "CFLAGS"} | {"XDG_CACHE_HOME": str(cache)}
    begin = time.perf_counter()
    done = subprocess.run(
        command, shell=True, cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return seconds, done.stdout + done.stderr


COUNTS = (
    r"explored\s+([\d,]+) states, ([\d,]+)\s+transitions",
    r"^\s*(\d+) states, stored.*?^\s*(\d+) transitions",
    r"^\s*(\d+) states, (\d+) rules fired",
)


def counts_in(text: str) -> tuple[int, int]:
    """States and transitions that a tool's output names."""
    for pattern in COUNTS:
        m = re.search(pattern, text, re.M | re.S)
        if m:
            return int(m[1].replace(",", "")), int(m[2].replace(",", ""))
    raise SystemExit(f"no number of states in:\n{text[-2000:]}")


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
Measured = dict[str, list[float]]


def in_turn(folder: Path, *commands: str) -> tuple[float, float, str]:
    """Run ``commands``; seconds of all, seconds of the last, and what it printed."""
    whole, last, out = 0.0, 0.0, ""
    for c in commands:
        last, out = shell(c, folder)
        whole += last
    return whole, last, out


def measure(options: str, folder: Path, runs: int) -> tuple[Measured, dict[str, tuple[int, int]]]:
    """Seconds per tool, ``runs`` of each, and what each counted. Each round runs every tool."""
    ways: dict[str, tuple[str, ...]] = {}
    for n, word in ((1, "1 thread"), (2, "2 threads")):
        ways[f"loadput, {word}"] = (
            f"{LOADPUT} check {options} --no-reduction --threads {n} --stats",
        )
    ways["SPIN"] = SPIN
    for n, word in ((1, "1 thread"), (2, "2 threads")):
        ways[f"rumur, {word}"] = tuple(c.format(threads=n) for c in RUMUR)
    seconds: Measured = {}
    counted: dict[str, tuple[int, int]] = {}
    for _ in range(runs):
        for way, commands in ways.items():
            whole, last, out = in_turn(folder, *commands)
            search = re.search(r"search ([\d.]+) s", out)
            alone = float(search[1]) if search else last
            seconds.setdefault(way, []).append(whole)
            seconds.setdefault(f"{way}, search alone", []).append(alone)
            counted[way] = counted[f"{way}, search alone"] = counts_in(out)
    return seconds, counted


def peers(name: str, options: str, model: dict[str, str], runs: int) -> list[list[str]]:
    """One program in every tool: a row for each whole process and for each search alone."""
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        for target, text in model.items():
            (folder / target).write_text(text)
        seconds, counted = measure(options, folder, runs)
    middle = {way: statistics.median(s) for way, s in seconds.items()}
    out = []
    for way, s in middle.items():
        states, transitions = counted[way]
        ours = [f"loadput, {n}" + ", search alone" * way.endswith("alone") for n in THREADS]
        ratios = [f"{s / middle[w]:.1f}" for w in ours]
        each = [f"{1e9 * s / n:,.0f}" for n in (states, transitions)]
        out.append([name, way, f"{s:.1f}", *each, *ratios])
        print("  ".join(out[-1]), flush=True)
    if len({n for n, _ in counted.values()}) != 1:
        raise SystemExit(f"{name}: the tools do not count the same states: {counted}")
    states, transitions = counted["loadput, 1 thread"]
    out[0][0] = f"{name}: {states:,} states, {transitions:,} transitions"
    for row in out[1:]:
        row[0] = ""
    return out


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(r) + " |" for r in rows)]) + "\n"


FAMILY = ((2, 2), (3, 2), (2, 3), (3, 3), (2, 4), (4, 3), (3, 4), (4, 4))
"""CPUs and threads, by the number of states."""


def growth() -> list[list[str]]:
    """One family: more vCPU threads that issue KVM_RUN, on more CPUs."""
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        for cpus, threads in FAMILY:
            scenario = Path(tmp) / "s.toml"
            scenario.write_text(
                f"cpus = {cpus}\nvms = {[0] * threads}\n"
                + "".join(
                    f'[[task]]\nruns = "vcpu_thread"\nvcpu = {v}\ndoes = ["run"]\n'
                    for v in range(threads)
                )
            )
            row = [f"{cpus} CPUs, {threads} threads"]
            for n in (1, 2):
                t, out = shell(
                    f"{LOADPUT} check --arch riscv --scenario {scenario} --stats"
                    f" --no-reduction --threads {n}",
                    Path(tmp),
                )
                states, transitions = counts_in(out)
                search = re.search(r"search\s+([\d.]+) s", out)
                if n == 1:
                    m = re.search(r"(\d+) bytes a state", out)
                    row += [f"{states:,}", f"{transitions:,}", m[1] if m else ""]
                row += [f"{t:.1f}", search[1] if search else ""]
            rows.append(row)
            print("  ".join(row), flush=True)
    return rows


def fit(rows: list[list[str]], what: str, column: int) -> str:
    """The exponent of seconds in states, by least squares on logarithms."""
    import math

    points = [
        (math.log(int(r[1].replace(",", ""))), math.log(float(r[column])))
        for r in rows
        if float(r[column] or 0) >= 0.05
    ]
    if len(points) < 2:
        return "too few points for a fit"
    mx, my = (sum(v) / len(points) for v in zip(*points, strict=True))
    slope = sum((x - mx) * (y - my) for x, y in points) / sum((x - mx) ** 2 for x, _ in points)
    return f"{what} grows as states^{slope:.2f}, over the {len(points)} points of 0.05 s and more"


def startup(runs: int) -> list[list[str]]:
    """Verbs as a user waits for them: cold as on a fresh installation, warm as the second time."""
    rows = []
    package = Path(LOADPUT).parent.parent
    with tempfile.TemporaryDirectory() as tmp:
        here = Path(tmp)
        for command in ("--help", "check --scenario one", "check", "compare", "museum"):
            for cache in package.glob("lib/*/site-packages/**/__pycache__"):
                shutil.rmtree(cache, ignore_errors=True)
            for cache in HERE.parent.glob("src/**/__pycache__"):
                shutil.rmtree(cache, ignore_errors=True)
            kept = here / command.replace(" ", "-")
            cold = shell(f"{LOADPUT} {command}", here, kept)[0]
            warm = [shell(f"{LOADPUT} {command}", here, kept)[0] for _ in range(runs)]
            rows.append([f"`loadput {command}`", f"{cold:.2f}", f"{statistics.median(warm):.2f}"])
            print("  ".join(rows[-1]), flush=True)
        first = [
            shell(f"{LOADPUT} check --stop-at-first --twin preempted_always", here)[0]
            for _ in range(runs)
        ]
        rows.append(
            ["first verdict on the default scenario", "", f"{statistics.median(first):.2f}"]
        )
    return rows


def installed() -> list[list[str]]:
    """What a start imports, and how large the environment is."""
    rows = []
    for words in ("--help", "check --help", "check --scenario one"):
        code = f"{sys.executable} -X importtime {LOADPUT} {words} 2>&1 >/dev/null"
        _, out = shell(code, HERE)
        names = [ln.split("|")[-1].strip() for ln in out.splitlines() if "|" in ln]
        heavy = [n for n in ("click", "numpy", "llvmlite", "tree_sitter") if n in names]
        ours = sum(n.startswith("loadput") for n in names)
        rows.append([f"`loadput {words}`", str(len(names)), str(ours), ", ".join(heavy)])
    _, out = shell(f"{sys.executable} -m pip list --format=freeze", HERE)
    _, size = shell(f"du -sm {Path(sys.executable).parent.parent}", HERE)
    packages = len(out.split())
    rows.append(
        [
            f"environment: {size.split()[0]} MB, {packages} packages, tests' tools included",
            "",
            "",
            "",
        ]
    )
    return rows


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


def in_peers(name: str, options: str, runs: int) -> str:
    """Section: one program in every tool."""
    model = {}
    for target, file in (("promela", "m.pml"), ("murphi", "m.m")):
        _, model[file] = shell(f"{LOADPUT} export --to {target} {options}", HERE)
    rows = peers(name, options, model, runs)
    head = ["program", "tool", "seconds", "ns a state", "ns a transition"]
    return table([*head, "times ours on 1", "times ours on 2"], rows)


def in_growth(_: int) -> str:
    """Section: one family from small to large."""
    rows = growth()
    head = ["program", "states", "transitions", "bytes a state"]
    times = ["whole s, 1 thread", "search s", "whole s, 2 threads", "search s"]
    fits = [fit(rows, f"search time on {w}", c) for w, c in (("1 thread", 5), ("2 threads", 7))]
    return f"{table(head + times, rows)}\n{'; '.join(fits)}.\n"


def in_waiting(runs: int) -> str:
    """Section: what a user waits for."""
    return table(["what", "cold, seconds", "warm, seconds"], startup(runs))


def in_start(_: int) -> str:
    """Section: imports and sizes."""
    return table(["start", "modules", "of them ours", "of the heavy ones"], installed())


KVM = "design D on SVM, scenario bench10m", "--arch svm --scenario bench10m"
FILTER = (
    "Peterson's filter lock, 5 processes (bench/filter)",
    f"--arch riscv --overlays {HERE}/filter --design filter --scenario {HERE}/filter/filter.toml",
)
SECTIONS = {
    "filter": partial(in_peers, *FILTER),
    "kvm": partial(in_peers, *KVM),
    "growth": in_growth,
    "waiting": in_waiting,
    "start": in_start,
}


def main() -> None:
    """Run every section or the one named, and put its table into bench/README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=SECTIONS)
    args = parser.parse_args()
    missing = [t for t in ("spin", "rumur", "gcc") if not shutil.which(t)]
    if missing:
        raise SystemExit(f"make bench needs {', '.join(missing)}: apt-get install spin rumur gcc")
    page = HERE / "README.md"
    for name in [args.only] if args.only else SECTIONS:
        load = os.getloadavg()[0]
        text = f"{machine()}; load at the start {load:.1f}; medians of {args.runs}.\n\n"
        text += SECTIONS[name](args.runs)
        print(text)
        before, _, rest = page.read_text().partition(f"<!-- {name} -->\n")
        page.write_text(
            f"{before}<!-- {name} -->\n{text}<!-- /{name} -->"
            + rest.partition(f"<!-- /{name} -->")[2]
        )


if __name__ == "__main__":
    main()

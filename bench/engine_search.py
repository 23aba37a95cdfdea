"""How fast the engines search: a table, never a verdict.

    python bench/engine_search.py [--states N] [--threads 1,2] [--arch svm] [SCENARIO ...]

Columns: words of a packed state; compile: writing and compiling until the search begins; search:
wall time of the search alone, with the best code ready; cpu: its processor time.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time

from loadput.link.program import Choice, link
from loadput.link.scenario import load_scenario
from loadput.machine.model import build_machine
from loadput.run.exploration import Limits
from loadput.run.explore import explore
from loadput.run.native.build import compile_machine
from loadput.run.native.search import Run

HEAD = (
    "scenario     engine   thr words   states  transitions depth  B/st compile  search     cpu M/s"
)


def native_row(arch: str, scenario: str, states: int, threads: int, rounds: int) -> str:
    """One line: the median of ``rounds`` searches."""
    m = build_machine(link(Choice(arch=arch), load_scenario(scenario)))
    t = time.perf_counter()
    native = compile_machine(m, shared=threads > 1)
    compile_s = time.perf_counter() - t
    native.improve()
    walls, cpus = [], []
    for _ in range(rounds):
        run = Run(native, threads, Limits(max_states=states), None)
        cpu = time.process_time()
        run.search()
        cpus.append(time.process_time() - cpu)
        walls.append(run.seconds)
        x = run.exploration()
        run.close()
    wall = statistics.median(walls)
    return (
        f"{scenario:12s} native   {threads:3d} {native.layout.words:5d} {x.states:8d} "
        f"{x.transitions:12d} {x.depth:5d} {x.bytes_per_state:5.1f} {compile_s:7.2f} {wall:7.2f} "
        f"{statistics.median(cpus):7.2f} {x.states / wall / 1e6:.2f}"
    )


def interp_row(arch: str, scenario: str, states: int) -> str:
    m = build_machine(link(Choice(arch=arch), load_scenario(scenario)))
    x = explore(m, engine="interp", limits=Limits(max_states=min(states, 20_000)))
    rate = x.states / x.search_s / 1e6
    return (
        f"{scenario:12s} interp     1     - {x.states:8d} {x.transitions:12d} {x.depth:5d} "
        f"{x.bytes_per_state:5.0f} {0:7.2f} {x.search_s:7.2f} {x.search_s:7.2f} {rate:.3f}"
    )


def main() -> None:
    """Print the table."""
    p = argparse.ArgumentParser()
    p.add_argument("scenarios", nargs="*", default=["default"])
    p.add_argument("--arch", default="svm")
    p.add_argument("--states", type=int, default=5_000_000)
    p.add_argument("--threads", default=f"1,{os.cpu_count()}")
    p.add_argument("--rounds", type=int, default=3)
    a = p.parse_args()
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, load {load:.1f} at the start")
    print(HEAD)
    for scenario in a.scenarios:
        for n in dict.fromkeys(int(x) for x in a.threads.split(",")):
            print(native_row(a.arch, scenario, a.states, n, a.rounds), flush=True)
        print(interp_row(a.arch, scenario, a.states), flush=True)


if __name__ == "__main__":
    main()

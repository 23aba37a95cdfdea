"""Every shipped scenario: engine against engine, and with and without reductions."""

from __future__ import annotations

import pytest

from loadput.check.verdict import check
from loadput.link.program import Choice, link
from loadput.link.scenario import list_scenarios, load_scenario
from loadput.machine.model import build_machine
from loadput.report.json import encode, program_result
from loadput.run.exploration import Limits
from loadput.run.explore import explore
from loadput.run.reduce import NOTHING, Reduce

ARCHS = ("arm64", "riscv", "svm", "vmx")
SOME = Limits(max_states=2_500)
"""What the interpreter does in a second; every limit that is met is part of the JSON."""
BOTH = Reduce(symmetry=True, por=True)
ONLY = {
    "migration": "riscv",
    "perf": "vmx",
    "resume": "loongarch",
    "unmap": "riscv",
    "posted-offline": "vmx",
}
ONLY |= dict.fromkeys(("avic", "flush", "nested", "reuse", "tsc"), "svm")
ONLY |= {"pause": "arm64", "spe": "arm64-nvhe", "sve": "arm64", "vgic": "arm64"}
ONLY |= dict.fromkeys(
    ("apicv", "assign", "offline", "posted", "posted-smp", "spin", "unplug"), "vmx"
)
ONLY |= dict.fromkeys(("exit-sie", "gisa", "set-tod"), "s390")
ONLY |= dict.fromkeys(("doorbell", "prod"), "powerpc")
"""Scenarios that set a constant of one architecture."""


def arch_for(i: int, scenario: str) -> str:
    """One that the scenario's file expects something of, another one for the next."""
    has = [a for a in ARCHS if load_scenario(scenario).expected_on(a)]
    return ONLY.get(scenario) or has[i % len(has)]


CASES = [(s, arch_for(i, s)) for i, s in enumerate(list_scenarios())]
LARGE = ("bench10m", "default", "standard", "threads")
SMALL = [(s, a) for s in ("one", "ldt-one") for a in ARCHS]
WAYS = {"plain": NOTHING, "reduced": BOTH}
BYTES = [(*c, list(WAYS)[i % 2]) for i, c in enumerate(CASES)]
BYTES += [(*c, way) for c in SMALL for way in WAYS]


@pytest.mark.parametrize(("scenario", "arch", "way"), BYTES)
def test_engines_write_the_same_bytes(scenario: str, arch: str, way: str) -> None:
    limits = Limits() if (scenario, arch) in SMALL else SOME

    def said(engine: str) -> bytes:
        r = check(
            Choice(arch), load_scenario(scenario), engine=engine, limits=limits, reduce=WAYS[way]
        )
        return encode({**program_result(r), "seconds": None})

    assert said("native") == said("interp")


@pytest.mark.parametrize(("scenario", "arch"), CASES)
def test_reductions_keep_every_verdict(scenario: str, arch: str) -> None:
    m = build_machine(link(Choice(arch), load_scenario(scenario)))
    # These have more states than a test can see: there, what the first ones say. The whole of each
    # is for `tools/soundness.py --shipped`.
    limits = Limits(max_states=200_000 if scenario in LARGE else None)
    plain = explore(m, limits=limits)
    assert plain.finished or scenario in LARGE
    for reduce in (Reduce(True, False), Reduce(False, True), BOTH):
        x = explore(m, limits=limits, reduce=reduce)
        assert x.finished is plain.finished
        assert {n: len(p) for n, p in x.first.items()} == {
            n: len(p) for n, p in plain.first.items()
        }
        assert x.states <= plain.states or not x.finished

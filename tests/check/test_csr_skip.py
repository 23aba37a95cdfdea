"""docs/findings/csr-skip-mips-loongarch.md, in numbers."""

from __future__ import annotations

import pytest

from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario


def ask(arch: str, scenario: str, twin: str = "") -> Result:
    return check(Choice(arch, release="v6.12", twin=twin), load_scenario(scenario))


@pytest.mark.parametrize(("arch", "states"), [("mips", 2_058), ("loongarch", 11_027)])
def test_a_vcpu_that_comes_back_finds_its_newest_registers(arch: str, states: int) -> None:
    r = ask(arch, "comes-back")
    assert (r.verdict, r.states) == ("holds", states)


@pytest.mark.parametrize(("arch", "steps"), [("mips", 25), ("loongarch", 32)])
def test_it_would_not_if_only_guest_exits_counted(arch: str, steps: int) -> None:
    r = ask(arch, "comes-back", f"{arch}_exit_cpu")
    assert r.find("GUEST-STATE-COHERENT").depth == steps


def test_after_a_sleep_of_the_cpu_mips_may_not() -> None:
    lost = ["MEMORY-FRESH", "GUEST-STATE-COHERENT", "INTERRUPT-KEPT"]
    assert ask("mips", "resume").violated == lost
    assert ask("loongarch", "resume").verdict == "holds"

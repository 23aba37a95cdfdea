"""An actor that changes the LDT: what mainline is suspected of, and what a design adds to it.

The names of scenarios and the page docs/findings/ldt.md say what this rests on.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from loadput.check.verdict import Result, check
from loadput.link.overlay import find_overlays
from loadput.link.program import Choice, link
from loadput.link.scenario import (
    DOES,
    OPT_IN,
    Scenario,
    list_scenarios,
    load_scenario,
    make_scenario,
)
from loadput.machine.model import build_machine

USER = "HOST-RESTORED-AT-USER-LDT"
OURS = {"LDT-FRESH", "LDT-KEPT", USER}


@cache
def run(
    design: str, scenario: str, twin: str = "", engine: str = "native", arch: str = "svm"
) -> Result:
    return check(Choice(arch, design, twin=twin), load_scenario(scenario), engine=engine)


def counts(r: Result) -> tuple[int, int, int]:
    return r.states, r.transitions, r.depth


def test_mainline_is_suspected_on_two_cpus_and_holds_on_one() -> None:
    two, one = run("D", "ldt"), run("D", "ldt-one")
    assert set(two.violated) == {"LDT-FRESH", USER}
    assert (two.find("LDT-FRESH").depth, two.find(USER).depth) == (20, 26), "v6.12: 21 and 27"
    assert one.verdict == "holds"
    assert counts(two) == (6_795, 30_089, 46)
    assert counts(one) == (1_443, 3_954, 28)


def test_vmx_is_suspected_on_two_cpus_and_holds_on_one() -> None:
    """docs/findings/ldt-vmx.md: VM-exit empties LDTR, and a put goes by what it was at the load."""
    two, one = run("D", "ldt", arch="vmx"), run("D", "ldt-one", arch="vmx")
    assert set(two.violated) == {USER}
    assert (two.find(USER).depth, one.verdict) == (33, "holds"), "v6.12: 34"
    assert counts(two) == (8_752, 36_015, 53)
    assert counts(one) == (1_587, 4_057, 33)
    where = [s.function for s in two.find(USER).counterexample]
    noted, loaded, left = map(where.index, ("kvm_read_ldt", "load_mm_ldt", "vmx_vcpu_enter_exit"))
    assert noted < loaded < left


@pytest.mark.parametrize("release", ["v6.12", "v6.1.192"])
def test_vmx_of_older_releases_is_suspected_too(release: str) -> None:
    r = check(Choice("vmx", release=release), load_scenario("ldt"))
    assert USER in r.violated


LEAK = """
# [Modified in twin:leak]
def modify_ldt():
    \"\"\"LDTR changes behind the back of the mm, which has no LDT.\"\"\"
    with atomic:
        fresh(this_cpu(hw_ldtr), task_mm(current))


@property_(source="ours")
@at_exit(arch_exit_to_user_mode_prepare)
def NO_OTHER_LDT() -> bool:
    \"\"\"User mode has in LDTR no LDT of another mm.\"\"\"
    owner = owner_of(this_cpu(hw_ldtr))
    return owner == NULL or owner == task_mm(current)
"""


@pytest.mark.parametrize("release", ["v6.12", "v7.3"])
def test_a_switch_of_mms_asks_what_they_have_and_not_what_ldtr_has(
    release: str, tmp_path: Path
) -> None:
    """switch_ldt(): where neither mm has an LDT, LDTR stays what it is."""
    folder = tmp_path / "twin" / "leak"
    folder.mkdir(parents=True)
    head = f'name="leak", parent="D", release="{release}", arch="svm"'
    (folder / "overlay.py").write_text(f'"""Ours."""\nOVERLAY = Overlay({head})\n')
    (folder / "ldt.py").write_text(LEAK)
    tasks = [{"runs": "vcpu_thread", "vcpu": v, "does": [d]} for v, d in ((0, "ldt"), (1, "run"))]
    scenario = make_scenario("two", {"cpus": 1, "vms": [0, 1], "task": tasks})
    choice = Choice("svm", release=release, twin="leak", search=(tmp_path,))
    assert "NO-OTHER-LDT" in check(choice, scenario).violated


@pytest.mark.parametrize("arch", ["svm", "vmx"])
@pytest.mark.parametrize("scenario", ["ldt", "ldt-one"])
def test_both_engines_see_the_same(scenario: str, arch: str) -> None:
    native, interp = run("D", scenario, arch=arch), run("D", scenario, engine="interp", arch=arch)
    assert counts(native) == counts(interp)
    assert set(native.violated) == set(interp.violated)


def test_the_wrong_ldt_comes_with_vmload_after_the_ipi_is_done() -> None:
    story = run("D", "ldt").find("LDT-FRESH").counterexample
    where = [s.function for s in story]
    assert where.index("vmsave") < where.index("publish_ldt") < where.index("load_mm_ldt")
    assert where[-1] == "__svm_vcpu_run" and where.index("load_mm_ldt") < len(where) - 1


@pytest.mark.parametrize("design", ["skip-i", "skip-v", "snapshot"])
def test_a_design_that_skips_is_blamed_for_what_mainline_does_not_do(design: str) -> None:
    assert set(run(design, "ldt-one").violated) >= OURS
    new = set(run(design, "ldt").violated) - set(run("D", "ldt").violated)
    assert new & OURS == {"LDT-KEPT"}


@pytest.mark.parametrize("design", ["skip-v", "snapshot"])
def test_a_design_that_is_right_about_the_task_is_wrong_only_about_the_mm(design: str) -> None:
    for scenario in ("ldt", "ldt-one"):
        assert set(run(design, scenario).violated) == OURS


def test_the_twins_are_told_apart_where_mainline_holds() -> None:
    assert set(run("D", "ldt-one", "ldt_no_flush").violated) == {"LDT-FRESH", USER}
    assert set(run("D", "ldt-one", "ldtr_saved_once").violated) == OURS
    assert set(run("D", "ldt-one", "ldt_not_given_back", arch="vmx").violated) == {USER}
    twins = find_overlays("twin").items()
    told = {n: v.scenario for n, v in twins if v.scenario.startswith("ldt")}
    assert told == dict.fromkeys(
        ("ldt_no_flush", "ldt_not_given_back", "ldtr_saved_once"), "ldt-one"
    )


def silent(scenario: Scenario) -> bool:
    return not any("ldt" in t.does for t in scenario.tasks)


def test_a_scenario_has_the_actor_only_where_it_says_so() -> None:
    one = make_scenario("x", {"cpus": 1, "vms": [0], "task": [{"runs": "vcpu_thread", "vcpu": 0}]})
    assert one.tasks[0].does == tuple(d for d in DOES if d not in OPT_IN)
    speak = [n for n in list_scenarios() if not silent(load_scenario(n))]
    assert speak == ["ldt", "ldt-one"]


@pytest.mark.parametrize("arch", ["svm", "vmx"])
def test_without_the_actor_it_costs_nothing(arch: str) -> None:
    """No property, no hook, and no bit of the state: the LDT of every mm stays NULL."""
    p = link(Choice(arch), load_scenario("default"))
    assert not OURS & {q.name for q in p.properties}
    kept = [s.name for s in build_machine(p).slots]
    assert kept and [c for c in kept if "ldt" in c or "loaded_mm" in c or ".flush" in c] == []


@pytest.mark.parametrize("arch", ["vmx", "arm64", "riscv"])
def test_what_is_not_modelled_is_not_asked(arch: str) -> None:
    p = link(Choice(arch), load_scenario("ldt"))
    asked = {q.name for q in p.properties if q.name in OURS and not q.applies}
    assert asked == ({USER} if arch == "vmx" else set())

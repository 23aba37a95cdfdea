"""s390: bits that others change too, the way out of SIE, and who waits for it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import loadput as lp
from loadput.check.verdict import Result, check
from loadput.ir.ops import Atomic, Store
from loadput.link.program import Choice, link
from loadput.link.scenario import load_scenario, make_scenario

# Bits of words that other CPUs, or the hardware, change as well.
SHARED = {"running", "wait", "ext_int", "stop_int", "request", "block", "idle", "kicked"}
SHARED |= {"gisa_ipm", "irq_pending"}
RESET = """static void __reset_intercept_indicators(struct kvm_vcpu *vcpu)
{
	kvm_s390_clear_cpuflags(vcpu, CPUSTAT_IO_INT | CPUSTAT_EXT_INT | CPUSTAT_STOP_INT);
}
"""


def plain_stores(release: str) -> list[str]:
    """What is stored to a shared bit outside of a locked instruction or a region that is one."""
    found = []
    for name, fn in link(Choice("s390", release=release), load_scenario("gisa")).functions.items():
        if fn.origin == "mainline" or name == "guest_runs":  # which is one step: sie64a()
            continue
        locked = False
        for op in (op for block in fn.blocks for op in block.ops):
            if isinstance(op, Atomic):
                locked = op.on
            elif isinstance(op, Store) and op.place.var.split(".")[-1] in SHARED and not locked:
                found.append(f"{name}: {op.place.var}")
    return found


@pytest.mark.parametrize("release", ["v6.1.192", "v6.12", "v7.3"])
def test_a_bit_that_others_change_too_changes_by_a_locked_instruction(release: str) -> None:
    """set_bit(), test_and_clear_bit(), atomic_or(): arch/s390/include/asm/bitops.h, atomic.h."""
    assert plain_stores(release) == []


def test_the_flags_that_make_sie_intercept_are_cleared_together() -> None:
    """One atomic AND, in the C too: what it left set would keep the guest from running."""
    j = lp.judge(RESET, arch="s390", scenario="one", base="v7.3")
    assert j.verdict == "changes nothing that is modelled"


def on_one_cpu(release: str) -> Result:
    tasks = [
        {"runs": "vcpu_thread", "vcpu": 0, "does": ["run"]},
        {"runs": "unmapper", "vcpu": 1, "does": []},
    ]
    raw = {"cpus": 1, "vms": [0, 0], "task": tasks, "set": {"prefix_unmaps": 1}}
    return check(Choice("s390", release=release), make_scenario("one-cpu", raw))


@pytest.mark.parametrize(
    ("release", "states"), [("v6.1.192", 2_187), ("v6.12", 2_187), ("v7.3", 2_216)]
)
def test_a_vcpu_that_is_preempted_is_out_of_sie(release: str, states: int) -> None:
    """Who spins until it is, with a lock held, would spin for ever on the only CPU."""
    r = on_one_cpu(release)
    assert (r.verdict, r.states) == ("holds", states)


@pytest.mark.parametrize("release", ["v6.1.192", "v6.12", "v7.3"])
def test_a_guest_runs_while_its_prefix_is_mapped(release: str) -> None:
    r = check(Choice("s390", release=release), load_scenario("exit-sie"))
    assert {p.name: p.verdict for p in r.properties}["TLB-FRESH"] == "holds"


@pytest.mark.parametrize(
    ("release", "states"), [("v6.1.192", 5_283), ("v6.12", 5_283), ("v7.3", 5_342)]
)
def test_no_guest_runs_while_its_vm_is_blocked(release: str, states: int) -> None:
    """PROG_BLOCK_SIE, which the way into SIE tests together with PROG_REQUEST."""
    r = check(Choice("s390", release=release), load_scenario("set-tod"))
    assert (r.verdict, r.states) == ("holds", states)
    assert {p.name: p.verdict for p in r.properties}["HALTED-WHILE-HELD"] == "holds"


@pytest.mark.parametrize("release", ["v6.12", "v7.3"])
@pytest.mark.parametrize("scenario", ["exit-sie", "set-tod"])
def test_who_asks_for_an_exit_sees_who_enters_though_stores_are_late(
    release: str, scenario: str
) -> None:
    """SIE serializes when it starts: docs/memory.md."""
    choice = Choice("s390", release=release, memory="tso")
    assert check(choice, load_scenario(scenario)).verdict == "holds"


def test_what_serializes_is_sie(tmp_path: Path) -> None:
    """Without that a guest runs though its vCPU has been asked to come out: the spec's own body."""
    of_v73 = Path(inspect.getfile(lp)).parent / "spec/release/v7_3/arch/s390/s390.py"
    defs = {d.name: d for d in ast.parse(of_v73.read_text()).body if isinstance(d, ast.FunctionDef)}
    lines = ast.unparse(defs["__sie64a"]).splitlines()
    left = [line for line in lines if line.strip() != "smp_mb()"]
    assert len(left) == len(lines) - 1
    folder = tmp_path / "design/late_sie"
    folder.mkdir(parents=True)
    overlay = '"""SIE serializes nothing."""\nOVERLAY = Overlay(name="late_sie", arch="s390")\n'
    (folder / "overlay.py").write_text(overlay)
    head = "# [Modified in design:late_sie]\n"
    (folder / "s390.py").write_text(head + "\n".join(left) + "\n")
    choice = Choice("s390", design="late_sie", memory="tso", search=(tmp_path,))
    r = check(choice, load_scenario("exit-sie"))
    said = {p.name: p.verdict for p in r.properties}
    assert r.verdict == "violated" and said["TLB-FRESH"] == "violated"

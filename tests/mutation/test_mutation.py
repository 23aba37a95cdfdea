"""What `make mutate` calls caught is caught, and what it calls equivalent is."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from mutation.damage import KINDS, mutants
from mutation.late import decide_late
from mutation.report import STATES, reason_of
from mutation.verdict import Field, Result

from loadput.ir.ops import Choose
from loadput.link.program import Choice, link
from loadput.link.scenario import load_scenario


@cache
def field() -> Field:
    return Field("mips")


@cache
def found() -> dict[str, Result]:
    """The mutants of the two notifiers."""
    mine = [m for m in mutants(field().program) if m.name.startswith("kvm_sched_")]
    return {r.name: r for r in field().decide(mine)}


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("kvm_sched_in L0.6 call", "PUT-BEFORE-LOAD"),
        ("kvm_sched_in L0.6 swap", "SOUT-AT-LOAD"),
        ("kvm_sched_in L0.7 store", "SOUT-AT-PUT"),
        ("kvm_sched_out L0.2 store", "PREEMPTED-IMPLIES-SOUT"),
        ("kvm_sched_out L1.1 condition", "PREEMPTED-WHEN-RUNNABLE"),
        ("kvm_sched_out L2.1 store", "PREEMPTED-IS-READY"),
        ("kvm_sched_out L4.2 store", "RUNNING-EXACT"),
    ],
)
def test_a_damage_to_the_notifiers_is_caught(name: str, by: str) -> None:
    r = found()[name]
    assert r.state == "caught" and by in {r.by, *r.also}


def test_two_flags_that_nobody_sees_in_between_may_be_set_in_either_order() -> None:
    r = found()["kvm_sched_out L2.0 swap"]
    assert r.state == "equivalent"
    small = "quiet asks threads spins sleeps one shared migrates turns default-small waits-small"
    assert r.scenario == small


@cache
def decided(name: str) -> Result:
    """One mutant, alone."""
    return field().decide([m for m in mutants(field().program) if m.name == name])[0]


def test_the_order_of_a_store_and_a_call_that_nobody_reads_between_is_no_matter() -> None:
    r = decided("vcpu_load L0.4 swap")
    assert (r.state, r.way) == ("equivalent", "reading")


def test_a_signal_that_is_never_looked_at_is_lost() -> None:
    r = decided("kvm_vcpu_check_block L3.0 call")
    assert r.state == "lost" and r.by.endswith("kvm_main.py:79")


def test_a_guest_that_is_entered_again_without_a_look_for_a_signal_is_caught() -> None:
    r = decided("kvm_mips_handle_exit L4.1 call")
    assert (r.state, r.by) == ("caught", "WORK-ASKED")


def test_a_vcpu_that_never_halts_is_told_by_what_is_asked_of_less() -> None:
    r = decided("kvm_vcpu_halt L0.0 call")
    assert (r.state, r.by) == ("unasked", "PREEMPTED-WHEN-RUNNABLE")


def test_what_only_the_model_says_is_not_damaged() -> None:
    """That a register's other content has gone, and which way a free choice goes."""
    program = link(Choice("loongarch", reduce=False), load_scenario("one"))
    what = {(m.fn.name, m.what) for m in mutants(program)}
    assert ("kvm_update_vpid", "without store.once hw_gtlb[@this_cpu] = 0") in what, "a flush"
    assert ("kvm_lose_fpu", "without store.once hw_guest_fp[@this_cpu] = 0") not in what
    block = program.functions["try_to_block_task"]
    chosen = [op.dst for b in block.blocks for op in b.ops if isinstance(op, Choose)]
    assert chosen and not {("try_to_block_task", f"not %{x}") for x in chosen} & what


def test_who_is_not_in_the_list_of_those_who_wait_is_never_woken() -> None:
    r = decided("lock_vcpu L6.0 store")
    assert (r.state, r.by, r.scenario) == ("caught", "NO-LOST-WAKEUP", "waits-small")


def test_a_wait_that_is_never_taken_back_is_caught() -> None:
    r = decided("finish_rcuwait L0.0 store")
    assert r.state == "caught" and "IOCTL-CLEAN" in {r.by, *r.also}


def test_a_result_stands_where_all_that_it_rests_on_does() -> None:
    r, m = found()["kvm_sched_in L0.6 call"], decided("lock_vcpu L6.0 store")
    mine = next(x for x in mutants(field().program) if x.name == r.name)
    key = field().key(mine, r)
    was = field().asked["NO-LOST-WAKEUP"]
    try:
        field().asked["NO-LOST-WAKEUP"] = "another"
        assert field().key(mine, r) == key
        other = next(x for x in mutants(field().program) if x.name == m.name)
        changed = field().key(other, m)
    finally:
        field().asked["NO-LOST-WAKEUP"] = was
    assert field().key(other, m) != changed


def test_a_mark_alone_is_no_matter_of_score() -> None:
    assert found()["kvm_sched_out L2.0 order"].state == "order"


def test_every_result_has_a_place_in_the_report() -> None:
    assert {r.state for r in found().values()} <= set(STATES)
    assert {r.kind for r in found().values()} <= set(KINDS)


def test_the_mutants_are_the_same_every_time() -> None:
    first, second = ([m.name for m in mutants(field().program)] for _ in range(2))
    assert first == second and len(first) == len(set(first))


def test_only_the_kernel_is_damaged() -> None:
    names = {m.fn.name for m in mutants(field().program)}
    assert "kvm_sched_out" in names
    assert not names & {"vcpu_thread", "device_interrupt", "guest_runs"}


def test_a_reason_is_of_the_damage_that_it_names() -> None:
    def of(arch: str, name: str, kind: str, what: str) -> str:
        return reason_of(arch, Result(name, kind, what, "", "hole"))

    swapped = "call a() before store.release rcuwait.task[%w] = 0:NULL"
    assert "waking it does nothing" in of("s390", "finish_rcuwait L0.0 swap", "swap", swapped)
    assert of("s390", "finish_rcuwait L0.0 call", "call", "without call a()") == ""
    slow = "without store.once last_vcpu[@this_cpu] = %vcpu"
    assert of("mips", "kvm_vz_vcpu_load L4.1 store", "store", slow).startswith("Only slower")
    assert of("riscv", "kvm_vz_vcpu_load L4.1 store", "store", slow) == ""


def test_a_barrier_that_nothing_stands_in_for_is_missed_where_stores_are_late() -> None:
    """Who blocks stores its state, then looks for a reason not to; who wakes it, the other way."""
    (r,) = decide_late("svm", "set_current_state")
    assert (r.mutant.what, r.state) == ("without barrier mb", "caught")
    assert r.why == "NO-LOST-WAKEUP, 35 steps"


def test_where_stores_pass_each_other_a_barrier_between_two_is_missed() -> None:
    """What a vCPU does for a request comes after the store of its CPU, before that of its mode."""
    found = {r.mutant.what: r for r in decide_late("riscv", "kvm_check_request")}
    r = found.pop("without barrier mb")
    assert (r.state, r.why) == ("caught", "KICK-SENDS-IPI, 18 steps")
    assert [r.state for r in found.values()] == ["missed"]


def test_of_what_orders_nothing_there_no_program_is_run() -> None:
    (r,) = decide_late("svm", "finish_rcuwait")
    assert (r.state, r.states) == ("redundant", 0) and "no store passes another" in r.why

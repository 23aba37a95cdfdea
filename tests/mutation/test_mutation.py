"""What `make mutate` calls caught is caught, and what it calls equivalent is."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from mutation.damage import KINDS, mutants
from mutation.report import STATES
from mutation.verdict import Field, Result


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
        ("kvm_sched_out L1.1 condition", "PREEMPTED-IFF-RUN"),
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
    assert r.scenario.split() == ["one", "shared", "migrates", "turns"]


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

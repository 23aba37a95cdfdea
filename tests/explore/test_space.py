"""Stepping by hand: the moves, what is not possible and why, what properties say of a state."""

from __future__ import annotations

import random

import pytest

from loadput.base.errors import InputError
from loadput.check.verdict import Result
from loadput.explore.schedule import parse_schedule, program_key, render_schedule
from loadput.explore.search import AT_STAKE, COULD_FAIL, find_witness, go_until
from loadput.explore.space import Space
from loadput.explore.truth import Oracle
from loadput.explore.why import LEFT_OUT, blocked
from loadput.run.interp import State

AREA = "HOST-AREA-FRESH"


def along(space: Space, seed: int, steps: int) -> list[State]:
    return space.follow(space.walk(space.initial, seed=seed, steps=steps))


def test_the_moves_are_the_interpreters_steps_in_its_order(two: Space) -> None:
    for s in along(two, 1, 40):
        assert [m.step for m in two.moves(s)] == list(two.interp.steps(s))


def test_a_move_says_what_is_free_in_it_where_others_differ(one: Space) -> None:
    first = next(m for m in one.moves(one.initial) if m.told.function == "__schedule")
    assert first.state is not None
    assert [m.choices for m in one.moves(first.state) if not m.action.start] == [
        ("vcpu_thread: USER_RUN",),
        ("vcpu_thread: USER_IOCTL",),
        ("vcpu_thread: USER_WORK",),
    ]


def test_interrupts_are_off_while_a_handler_runs_and_under_the_runqueues_lock(two: Space) -> None:
    seen = {b.why for seed in range(6) for s in along(two, seed, 60) for b in blocked(two, s)}
    assert "a handler runs on this CPU: interrupts are off" in seen
    assert "interrupts are off in kvm_sched_out()" in seen
    assert any(w.startswith("preemption is off in ") and "preempt_count 1" in w for w in seen)


def test_who_can_not_go_on_names_the_condition_and_what_it_reads(two: Space) -> None:
    found = {
        (b.why, b.until, b.reads)
        for seed in range(12)
        for s in along(two, seed, 80)
        for b in blocked(two, s)
        if b.until and not b.never
    }
    text = "next.on_rq and not next.on_cpu and not next.is_idle"
    assert ("waits in pick_next_task()", text, ("T0.on_rq = 1", "T0.on_cpu = 1")) in found


def test_what_is_said_to_be_blocked_has_no_step_and_what_is_not_has_one(two: Space) -> None:
    for seed in range(4):
        for s in along(two, seed, 50):
            can = {(m.action.cpu, m.action.start) for m in two.moves(s) if m.state is not None}
            said = {
                (b.cpu, name) for b in blocked(two, s) if b.cpu >= 0 for name in b.what.split(", ")
            }
            starts = {n for k in ("irq", "sched") for n, _ in two.interp.starts[k]}
            for cpu in range(two.m.cpus):
                irqs = {n for n, _ in two.interp.starts["irq"]}
                assert {n for n in irqs if (cpu, n) in can} == {
                    n for n in irqs if (cpu, n) not in said
                }
                assert not {n for c, n in said if c == cpu} & {n for c, n in can if c == cpu and n}
            assert {n for c, n in can if n} <= starts


def test_a_handler_that_the_scenario_leaves_out_is_told_apart(one: Space) -> None:
    never = [b for b in blocked(one, one.initial) if b.never]
    assert {b.why for b in never} == {LEFT_OUT}
    assert "avic_ipi" in ", ".join(b.what for b in never)


def test_truth_along_the_counterexample_says_where_it_went_wrong(skipped: Result) -> None:
    space = Space(skipped.machine)
    oracle = Oracle(space)
    path = space.indices(skipped.find(AREA).path)
    told = [oracle.ask(AREA, s) for s in space.follow(path)]
    truth = "".join("TF"[not t[0].asked.holds] if t else "-" for t in told)
    assert truth == "-" + "F" * 8 + "T" * 10 + "F" * 9 + "-" + "F" * 10 + "T"
    before = told[19][0].asked
    assert before.text == "sd.save_area_pa.fs == this_cpu(hw_fs)"
    assert [(r.name, r.value) for r in before.reads] == [
        ("vmcb_save_area.fs[c0]", "T0(old)"),
        ("hw_fs[c0]", "T0"),
    ]


def test_asked_of_a_state_a_property_says_what_it_says_in_a_step_that_reads_the_same(
    one: Space,
) -> None:
    oracle, agreed = Oracle(one), set()
    for seed in range(8):
        s = one.initial
        for i in one.walk(s, seed=seed, steps=60):
            move = one.moves(s)[i]
            assert move.state is not None
            for asked in move.asked:
                for t in oracle.ask(asked.property, s):
                    if t.cpu == move.action.cpu and t.asked.reads == asked.reads != ():
                        assert t.asked.holds == asked.holds
                        agreed.add(asked.property)
            s = move.state
    assert len(agreed) > 20


def test_a_search_goes_on_to_the_next_call_change_and_failure(skipped: Result) -> None:
    space = Space(skipped.machine)
    called = go_until(space, space.initial, "call", "kvm_sched_out")
    assert called.steps is not None and len(called.steps) == 5
    s = space.follow(called.steps)[-1]
    changed = go_until(space, s, "change", "preempted")
    assert changed.steps is not None and len(changed.steps) == 1
    failed = go_until(space, space.initial, "fail", AREA)
    assert failed.steps is not None and len(failed.steps) == 39


def test_a_search_that_ends_at_its_bound_is_told_from_one_that_saw_all(one: Space) -> None:
    some = go_until(one, one.initial, "fail", AREA, most=100)
    every = go_until(one, one.initial, "fail", AREA)
    assert (some.steps, some.whole) == (None, False)
    assert (every.steps, every.whole, every.states) == (None, True, 2672)


@pytest.mark.parametrize(
    ("kind", "name"), [("call", "kvm_sched_outt"), ("change", "x"), ("fail", "NO"), ("go", "")]
)
def test_a_search_for_what_is_not_there_is_refused(one: Space, kind: str, name: str) -> None:
    with pytest.raises(InputError, match="LP0531"):
        go_until(one, one.initial, kind, name)


def test_a_witness_of_a_property_that_holds_has_something_at_stake(one: Space) -> None:
    found = find_witness(one, Oracle(one), AREA)
    assert found.steps is not None
    assert (found.degree, len(found.steps)) == (AT_STAKE, 12)
    # What it reads when it holds is always as at the start: another value of it would do.
    least = find_witness(one, Oracle(one), "AT-MOST-ONE-CPU")
    assert (least.degree, least.whole) == (COULD_FAIL, True)


def test_a_walk_is_the_same_for_the_same_seed(two: Space) -> None:
    a, b = (two.walk(two.initial, seed=7, steps=50) for _ in range(2))
    assert a == b != two.walk(two.initial, seed=8, steps=50)


def test_a_schedule_is_a_short_text_and_back(two: Space) -> None:
    rng = random.Random(1)
    path = [rng.randrange(90) for _ in range(200)]
    assert parse_schedule(two.m, render_schedule(two.m, path)) == path
    walk = two.walk(two.initial, seed=3, steps=60)
    assert len(render_schedule(two.m, walk)) == 65


@pytest.mark.parametrize("text", ["", ".", "x", "abcd", "....", "é.0", "0" * 40, "%00.<script>"])
def test_nonsense_is_no_schedule(two: Space, text: str) -> None:
    with pytest.raises(InputError, match="LP0530"):
        parse_schedule(two.m, text)
    with pytest.raises(InputError, match="LP0530"):
        parse_schedule(two.m, f"{program_key(two.m)}.{text}!")


def test_a_schedule_of_another_program_is_refused(one: Space, two: Space) -> None:
    with pytest.raises(InputError, match="another program"):
        parse_schedule(two.m, render_schedule(one.m, [0, 1]))

"""Programs that an unsound shortcut gets wrong: each by default and without any shortcut."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import Scenario, load_scenario, make_scenario
from loadput.run.reduce import NOTHING

ALONE = {"title": "one thread", "cpus": 1, "vms": [0], "task": [{"runs": "locker"}]}


def both(choice: Choice, scenario: Scenario) -> tuple[Result, Result]:
    plain = check(choice, scenario, fusing=False, forgetting=False, reduce=NOTHING)
    return check(choice, scenario), plain


@pytest.fixture
def twin(tmp_path: Path):  # type: ignore[no-untyped-def]
    def make(arch: str, body: str, kind: str = "twin") -> Choice:
        folder = tmp_path / kind / "t"
        folder.mkdir(parents=True)
        where = f', arch="{arch}"' if kind == "twin" else ', source="ours"'
        overlay = f'"""T."""\nOVERLAY = Overlay(name="t", parent="D"{where})\n'
        (folder / "overlay.py").write_text(overlay)
        (folder / "x.py").write_text(body)
        kinds = {"twin": "t"} if kind == "twin" else {"design": "t"}
        return Choice(arch, search=(tmp_path,), **kinds)

    return make


PUT_BY_HAND = '''# [Modified in twin:t]
def kvm_vz_gpsi_cop0(vcpu: ptr[kvm_vcpu]):
    """Emulated on the saved copy: put by hand, write, load by hand; preemption {state}."""
    {off}
    vcpu.arch.cop0 = this_cpu_read(hw_gc0)
    fresh(vcpu.arch.cop0, vcpu)
    this_cpu_write(hw_gc0, vcpu.arch.cop0)
    {on}
'''


@pytest.mark.parametrize(
    ("off", "on", "bad"),
    [
        ("pass", "pass", ["GUEST-STATE-COHERENT", "MEMORY-FRESH"]),
        ("preempt_disable()", "preempt_enable()", []),
    ],
)
def test_a_tasks_own_put_and_load_come_between_its_accesses(twin, off, on, bad) -> None:
    choice = twin("mips", PUT_BY_HAND.format(state=off, off=off, on=on))
    fused, plain = both(choice, load_scenario("one"))
    assert set(fused.violated) == set(plain.violated) == set(bad)


READS = '''class kvm_vcpu(struct):
    was_put: ghost[bool]


@monitor
@at_exit(kvm_arch_vcpu_put)
def notes_put(vcpu: ptr[kvm_vcpu]):
    vcpu.was_put = True


# [Modified in twin:t]
def kvm_vz_gpsi_cop0(vcpu: ptr[kvm_vcpu]):
    """Reads what a @forget hook calls dead."""
    {off}
    last = vcpu.arch.last_sched_cpu
    emulates(vcpu, last)
    {on}
    with atomic:
        fresh(this_cpu(hw_gc0), vcpu)


# [New in twin:t]
def emulates(vcpu: ptr[kvm_vcpu], last: cpu):
    """A place to ask."""
    pass


@property_(source="ours")
@at_entry(emulates)
def LAST_IS_A_CPU(vcpu: ptr[kvm_vcpu], last: cpu) -> bool:
    """Only the put writes last_sched_cpu, and writes a CPU."""
    return not vcpu.was_put or last != -1
'''


def test_what_is_read_is_not_forgotten(twin) -> None:
    """With preemption off around the read, what the put wrote is what is read."""
    choice = twin("mips", READS.format(off="preempt_disable()", on="preempt_enable()"))
    fused, plain = both(choice, load_scenario("one"))
    assert (fused.violated, plain.violated) == ([], [])
    assert fused.remembers


def test_a_put_between_a_read_and_its_use_is_found_whatever_is_forgotten(twin) -> None:
    """With preemption on, the first put comes between the read, of -1, and its use."""
    fused, plain = both(twin("mips", READS.format(off="pass", on="pass")), load_scenario("one"))
    assert (fused.violated, plain.violated) == (["LAST-IS-A-CPU"], ["LAST-IS-A-CPU"])
    assert fused.remembers


WAITS = '''flag: bool
other: bool


def look():
    """A place to look."""
    pass


@property_(source="ours")
@at_entry(look)
def NEVER_HERE() -> bool:
    """Nobody comes here."""
    return False


@task
def locker():
    """Looks, and waits for what never comes."""
    {before}
    while True:
        exit_to_user_mode()
'''
REGION = "preempt_disable()\n    with atomic:\n        look()\n        assume(flag)"
CHOSEN = "preempt_disable()\n    other = choose()\n    look()\n    await_until(other and flag)"


@pytest.mark.parametrize(
    "before", ["preempt_disable()\n    look()\n    await_until(flag)", REGION, CHOSEN]
)
def test_what_was_found_before_a_wait_that_never_ends_is_found(twin, before: str) -> None:
    choice = twin("riscv", WAITS.format(before=before), "design")
    fused, plain = both(choice, make_scenario("alone", ALONE))
    assert set(fused.violated) == set(plain.violated) == {"ALL-BLOCKED", "NEVER-HERE"}


TWICE = '''# [Modified in twin:t]
def prepare_task_switch(prev: ptr[task_struct], next: ptr[task_struct]):
    """Asks for the run queue's lock once more, which it holds."""
    fire_sched_out_preempt_notifiers(prev, next)
    with atomic:
        block_and_pick(prev, False)
'''


def test_a_cpu_that_asks_for_its_own_lock_twice_is_found(twin) -> None:
    fused, plain = both(twin("mips", TWICE), load_scenario("one"))
    assert "ALL-BLOCKED" in plain.violated
    assert set(fused.violated) == set(plain.violated)


NOBODY = '''# [Modified in twin:t]
def pick_next_task(prev: ptr[task_struct], preempt: bool) -> ptr[task_struct]:
    """Who is preempted does not give way to the idle task."""
    next = this_idle_task()
    if choose():
        next = choose_task()
        if next == prev:
            assume(prev.on_rq and not prev.sched_delayed{here})
        else:
            assume(next.on_rq and not next.on_cpu and not next.is_idle)
            assume((next.cpus_mask >> smp_processor_id()) & 1)
            assume(not next.sched_delayed)
            next.on_cpu = True
    else:
        assume(next != prev and not preempt)
    return next
'''


@pytest.mark.parametrize(("here", "bad"), [(" and not preempt", {"ALL-BLOCKED"}), ("", set())])
def test_a_pick_of_which_nothing_is_possible_is_a_wait(twin, here: str, bad: set[str]) -> None:
    fused, plain = both(twin("mips", NOBODY.format(here=here)), load_scenario("one"))
    assert set(fused.violated) == set(plain.violated) == bad


NAMED = '''flag: bool


def ipi_is_sent():
    """Not the monitor of that name."""
    flag = True


@property_(source="ours")
@at_entry(exit_to_user_mode)
def FLAG_IS_CLEAR() -> bool:
    """Asked after it is set."""
    return not flag


@task
def locker():
    """Sets the flag in a function of its own."""
    ipi_is_sent()
    while True:
        exit_to_user_mode()
'''


def test_a_function_may_have_the_name_of_a_monitor(twin) -> None:
    fused, plain = both(twin("riscv", NAMED, "design"), make_scenario("alone", ALONE))
    assert fused.violated == plain.violated == ["FLAG-IS-CLEAR"]


SAME_NAME = '''class kvm_vcpu(struct):
    was_told: ghost[bool]


@monitor
@at_entry(kvm_arch_vcpu_put)
def is_loaded(vcpu: ptr[kvm_vcpu]):
    vcpu.was_told = True


@property_(source="ours")
@at_exit(kvm_arch_vcpu_put)
def PUT_IS_TOLD(vcpu: ptr[kvm_vcpu]) -> bool:
    """What a monitor notes at the entry is there at the exit."""
    return vcpu.was_told
'''


def test_two_monitors_of_one_name_both_note(twin) -> None:
    """properties/structure.py has one `is_loaded`, at kvm_arch_vcpu_load()."""
    fused, plain = both(twin("mips", SAME_NAME), load_scenario("one"))
    assert fused.violated == plain.violated == []

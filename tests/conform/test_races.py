"""Races are widened to what the kernel may do, and no further: `ready` is stored by a waker."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.conform import Conformance, conform_trace
from loadput.trace import read_trace

FUNCTIONS = {
    "load": "vcpu_load", "put": "vcpu_put", "arch_load": "kvm_arch_vcpu_load",
    "arch_put": "kvm_arch_vcpu_put", "sched_in": "kvm_sched_in", "sched_out": "kvm_sched_out",
    "block": "kvm_vcpu_block", "prep": "svm_prepare_switch_to_guest",
}  # fmt: skip
# One run of the vCPU: pid 10 on CPU 1 halts, is switched out and waits; pid 20 on CPU 0 wakes it.
# time in us, name, preempted, ready, scheduled_out; the switches and wakings are in WAKER.
VCPU = [
    (10, "load", 0, 0, 0), (11, "arch_load", 0, 0, 0), (12, "prep", 0, 0, 0), (13, "entry"),
    (20, "exit"), (30, "block", 0, 0, 0), (40, "away S"), (41, "sched_out", 0, 0, 0),
    (42, "arch_put", 0, 0, 1), (90, "back"), (91, "sched_in", 0, 1, 1),
    (92, "arch_load", 0, 0, 1), (95, "prep", 0, 0, 0), (96, "entry"), (100, "exit"),
    (110, "prep", 0, 0, 0), (111, "entry"), (120, "exit"), (130, "put", 0, 0, 0),
    (131, "arch_put", 0, 0, 0), (140, "load", 0, 0, 0), (141, "arch_load", 0, 0, 0),
    (145, "prep", 0, 0, 0), (146, "entry"), (150, "exit"), (160, "put", 0, 0, 0),
    (161, "arch_put", 0, 0, 0),
]  # fmt: skip
HELD = ("arch_load", "arch_put", "sched_in", "prep")
WOKE = [(50, "wakes"), (52, "exit")]
PREEMPTED = [(50, "wakes"), (51, "away R+"), (80, "back"), (82, "away R+")]
SWITCH = (
    "prev_comm=x prev_pid={} prev_prio=120 prev_state={} ==> next_comm=y next_pid={} next_prio=9"
)


def line(pid: int, cpu: int, us: int, what: str, values: tuple[int, ...], flags: str) -> str:
    name, _, state = what.partition(" ")
    task = f"task{pid}-{pid}"
    if name in FUNCTIONS:
        flag = "preempted={} ready={} so={}".format(*values)
        body = f"{name}: ({FUNCTIONS[name]}+0x0/0x50 [kvm]) vcpu=0xff00 wants=1 {flag}"
    elif name == "away":
        body = "sched_switch: " + SWITCH.format(pid, state, 0)
    elif name == "back":
        task, body = "<idle>-0", "sched_switch: " + SWITCH.format(0, "R", pid)
    elif name == "wakes":
        body = "sched_waking: comm=task10 pid=10 prio=120 target_cpu=001"
    else:
        body = f"kvm_{name}: vcpu 0"
    held = name in ("away", "back", "wakes", "sched_out") or us == 42
    context = flags or ("d..2." if held else "...1." if name in HELD else ".....")
    return f"  {task} [00{cpu}] {context} 1.{us:06}007: {body}"


def recording(
    waker: list[tuple[int, str]], changes: dict[tuple[int, str], int], flags: str = ""
) -> str:
    """Text of the run with some values of `ready` changed; ``flags`` are those of the wakeup."""
    lines = []
    for us, what, *values in VCPU:
        if values:
            values[1] = changes.get((us, what), values[1])
        lines.append((us, line(10, 1, us, what, tuple(values), "")))
    for us, what in [(1, "exit"), *waker, (200, "exit")]:
        lines.append((us, line(20, 0, us, what, (), flags if what == "wakes" else "")))
    lines += [(us, line(30, cpu, us, "exit", (), "")) for us, cpu in ((2, 1), (300, 1), (300, 0))]
    return "\n".join(text for _, text in sorted(lines)) + "\n"


def verdict(tmp_path: Path, text: str) -> Conformance:
    path = tmp_path / "t.txt"
    path.write_text(text)
    return conform_trace(read_trace(path), release="v6.12")


def races(result: Conformance) -> tuple[str, int]:
    ready = next(c for c in result.fits[0].counts if c.aspect == "ready")
    return result.verdict, ready.widened


def test_the_run_itself_conforms_without_a_race(tmp_path: Path) -> None:
    assert races(verdict(tmp_path, recording(WOKE, {}))) == ("conforms", 0)


# The waker, where `ready` reads otherwise, and what is said.
EARLY, LATER = {(41, "sched_out"): 1}, {(110, "prep"): 1, (130, "put"): 1, (131, "arch_put"): 1}
LATE = {(91, "sched_in"): 0, (95, "prep"): 1, **LATER}
AGAIN = {(140, "load"): 1, (141, "arch_load"): 1, (145, "prep"): 1, (160, "put"): 1}
AGAIN |= {(161, "arch_put"): 1}
CASES = [
    # The store comes when the waker has a CPU again, after one preemption or after two.
    ([(50, "wakes"), (51, "away R+"), (93, "back"), (97, "exit")], LATE | AGAIN, "conforms"),
    ([*PREEMPTED, (93, "back"), (97, "exit")], LATE | AGAIN, "conforms"),
    # A waker that has left has stored: ready=0 at sched_in was no race then.
    ([*PREEMPTED[:3], (82, "exit")], LATE | AGAIN, "diverges"),
    (WOKE, {(91, "sched_in"): 0}, "diverges"),
    # It left by a schedule() of its own.
    ([(50, "wakes"), (51, "away S"), (93, "back"), (97, "exit")], LATE | AGAIN, "diverges"),
    # Nobody woke it that early, and nobody that late.
    (WOKE, EARLY, "diverges"),
    (WOKE, {(110, "prep"): 1}, "diverges"),
    ([*PREEMPTED, (93, "back"), (97, "exit")], {(145, "prep"): 1}, "diverges"),
    # The value was read between its stamp and the next of that CPU: the wakeup lies there.
    ([(41, "wakes"), (43, "exit")], {(42, "arch_put"): 1}, "conforms"),
    ([(89, "wakes"), (96, "exit")], {(91, "sched_in"): 0, (95, "prep"): 1} | LATER | AGAIN,
     "conforms"),
]  # fmt: skip


@pytest.mark.parametrize(("waker", "changes", "said"), CASES)
def test_a_waker_may_store_until_it_has_left_and_no_longer(
    tmp_path: Path, waker: list[tuple[int, str]], changes: dict[tuple[int, str], int], said: str
) -> None:
    assert verdict(tmp_path, recording(waker, changes)).verdict == said


def test_a_wakeup_from_an_interrupt_ends_with_it(tmp_path: Path) -> None:
    waker = [(50, "wakes"), (51, "away R+"), (93, "back"), (97, "exit")]
    assert verdict(tmp_path, recording(waker, LATE | AGAIN, "d.h2.")).verdict == "diverges"


def test_a_signal_wakes_without_a_store_and_ends_the_run(tmp_path: Path) -> None:
    text = recording(WOKE, {(91, "sched_in"): 0})
    calls = [x for x in text.splitlines() if not any(f"1.0000{t}007" in x for t in (95, 96))]
    calls = [x for x in calls if not any(f"1.000{t}007" in x for t in (100, 110, 111, 120))]
    assert races(verdict(tmp_path, "\n".join(calls) + "\n")) == ("conforms", 1)


def test_only_the_order_of_functions_decides_nothing(tmp_path: Path) -> None:
    text = recording(WOKE, {})
    for flag in ("wants=1", "preempted=0", "so=0", "so=1", "ready=0", "ready=1"):
        text = text.replace(flag, "")
    result = verdict(tmp_path, text)
    assert (result.verdict, result.exit_code) == ("not decided", 4)

"""With fewer probes or fields a recording is compared where it can be, and does not diverge."""

from __future__ import annotations

from typing import Any

import pytest

from loadput.conform import Conformance, conform_trace
from loadput.trace import Trace, read_trace

from .conftest import find_recording


class Partial:
    """A recording without some events, or without some fields."""

    def __init__(self, name: str, without: tuple[str, ...]) -> None:
        self.inner: Any = read_trace(str(find_recording(name)))._backend
        self.inner.meta.cpu_stats.clear()
        self.without = without

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def count_events(self) -> dict[str, int]:
        return {k: v for k, v in self.inner.count_events().items() if k not in self.without}

    def field_names(self, name: str) -> list[str]:
        return [f for f in self.inner.field_names(name) if f not in self.without]


def conform_without(name: str, *without: str) -> Conformance:
    return conform_trace(Trace(Partial(name, without)))


X86, RISCV = "x86-6.1-ple.dat", "riscv64-7.2.dat"
EVENTS = [
    (X86, "arch_load"), (X86, "arch_load_ret"), (X86, "arch_put"), (X86, "arch_sched_in"),
    (X86, "load"), (X86, "put"), (X86, "sched_in"), (X86, "sched_out"),
    (X86, "sched_switch"), (X86, "sched_waking"), (X86, "svm_load"), (X86, "svm_put"),
    (RISCV, "arch_load"), (RISCV, "arch_put"), (RISCV, "load"), (RISCV, "put"),
    (RISCV, "sched_in"), (RISCV, "sched_out"), (RISCV, "sched_switch"), (RISCV, "sched_waking"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "event"), EVENTS)
def test_one_event_less_still_conforms(name: str, event: str) -> None:
    assert event in read_trace(str(find_recording(name))).events()
    result = conform_without(name, event)
    assert (result.verdict, result.fits[0].first) == ("conforms", None)


@pytest.mark.parametrize("event", ["load_x", "mmu_hgatp", "timer_restore"])
def test_without_a_probe_of_the_skip_it_is_open_or_not_asked(event: str) -> None:
    result = conform_without(RISCV, event)
    assert (result.verdict, result.fits[0].first) == ("conforms", None)
    restore = next(c for c in result.fits[0].counts if c.aspect == "restore")
    noted = any("last_exit_cpu is not recorded" in n for n in result.notes)
    assert noted == (event == "load_x")
    assert (restore.compared, restore.open) == {
        "load_x": (478, 67),
        "mmu_hgatp": (0, 0),
        "timer_restore": (480, 65),
    }[event]


@pytest.mark.parametrize("field", ["vcpu", "pn", "kvm", "id", "preempted", "ready", "wants"])
def test_one_field_less_still_conforms(field: str) -> None:
    assert conform_without(X86, field).verdict == "conforms"


def test_a_load_whose_entry_is_not_probed_belongs_to_its_task() -> None:
    result = conform_without(X86, "arch_load", "load")
    assert (result.verdict, result.fits[0].first) == ("conforms", None)


def test_without_the_scheduler_s_events_more_is_open_and_said() -> None:
    result = conform_without(X86, "sched_switch", "sched_waking", "sched_wakeup")
    counts = {c.aspect: c for c in result.fits[0].counts}
    assert result.verdict == "conforms"
    assert counts["preempted"].open > 0
    assert result.notes == [
        "sched_switch is not recorded: whether a task blocked is open",
        "sched_waking is not recorded: who was woken, and when, is open",
    ]


def test_a_twin_still_diverges_where_only_the_probe_that_tells_is_left() -> None:
    trace = Trace(Partial("x86-6.12-ple.dat", ("svm_load", "sched_in_ret", "arch_load_ret", "put")))
    result = conform_trace(trace, release="v6.12", twin="sout_cleared_before_load")
    assert result.verdict == "diverges"

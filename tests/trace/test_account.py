"""The accounting: causes, reasons, skips; on fixtures and on recordings written by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from loadput.base.errors import TraceError
from loadput.trace import read_trace
from loadput.trace.account import Accounting, account_trace
from loadput.trace.account.costs import load_costs
from loadput.trace.account.infer import infer_log
from loadput.trace.account.loads import REASONS, find_outs
from loadput.trace.account.read import read_log
from loadput.trace.account.state import evaluate, state_bits
from loadput.trace.account.stats import bootstrap_ratio, describe
from loadput.trace.needs import FUNCTIONS, find_roles

Write = Callable[[bytes], str]


class Script:
    """Writes an ftrace text, one event a millisecond."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, task: int, cpu: int, event: str, rest: str) -> Script:
        time = f"{1 + len(self.lines) // 1000}.{len(self.lines) % 1000:03d}000"
        self.lines.append(f" t{task}-{task} [{cpu:03d}] ..... {time}: {event}: {rest}")
        return self

    def probe(self, task: int, cpu: int, event: str, v: int, wants: int = 1) -> Script:
        function = FUNCTIONS[event][0]
        who = f"pn=0xffff{v:04x}8" if event.startswith("sched_") else f"vcpu=0xffff{v:04x}0"
        rest = f"({function}+0x0/0x50 [kvm]) {who} kvm=0xffffaa00 id={v} wants={wants}"
        return self.add(task, cpu, event, rest)

    def load(self, task: int, cpu: int, v: int, wants: int = 1) -> Script:
        return self.probe(task, cpu, "load", v, wants).probe(task, cpu, "arch_load", v, wants)

    def put(self, task: int, cpu: int, v: int) -> Script:
        return self.probe(task, cpu, "put", v).probe(task, cpu, "arch_put", v)

    def out(self, task: int, cpu: int, v: int, state: str = "R+", then: int = 99) -> Script:
        self.switch(task, then, cpu, state)
        return self.probe(task, cpu, "sched_out", v).probe(task, cpu, "arch_put", v)

    def back(self, task: int, cpu: int, v: int, wants: int = 1) -> Script:
        self.switch(99, task, cpu, "S")
        self.probe(task, cpu, "sched_in", v, wants)
        return self.probe(task, cpu, "arch_load", v, wants)

    def switch(self, old: int, new: int, cpu: int, state: str) -> Script:
        return self.add(
            old, cpu, "sched_switch",
            f"prev_comm=t{old} prev_pid={old} prev_prio=120 prev_state={state} ==> "
            f"next_comm=t{new} next_pid={new} next_prio=120",
        )  # fmt: skip

    def account(self, write: Write) -> Accounting:
        return account_trace(read_trace(write("\n".join(self.lines).encode())))


def rule(result: Accounting, state: str, cause: str, name: str) -> tuple[int, int, int]:
    for skip in result.skips:
        if (skip.state, skip.cause, skip.rule) == (state, cause, name):
            return skip.loads, skip.skips, skip.wrong
    raise AssertionError(name)


def test_causes_of_loads(write: Write) -> None:
    script = Script().load(1, 0, 1).out(1, 0, 1).back(1, 0, 1).put(1, 0, 1)
    script.probe(1, 0, "arch_put", 1).probe(1, 0, "arch_load", 1)
    total = script.account(write).total
    assert total.loads == {"vcpu_load": 1, "sched_in": 1, "direct": 1, "unknown": 0}


def test_put_preempted_before_its_arch_put_is_still_a_vcpu_put(write: Write) -> None:
    script = Script().load(1, 0, 1).probe(1, 0, "put", 1).out(1, 0, 1).back(1, 0, 1)
    script.probe(1, 0, "arch_put", 1)
    total = script.account(write).total
    assert total.loads["sched_in"] == 1 and total.loads["direct"] == 0


@pytest.mark.parametrize(
    ("state", "reason"),
    [("R+", "preempted"), ("R", "preempted"), ("S", "blocked"), ("D", "blocked")],
)
def test_reason_of_an_out(write: Write, state: str, reason: str) -> None:
    total = Script().load(1, 0, 1).out(1, 0, 1, state).back(1, 0, 1).account(write).total
    assert total.outs == {**dict.fromkeys(REASONS, 0), reason: 1}


def test_out_after_a_directed_yield_is_a_yield(write: Write) -> None:
    script = Script().load(1, 0, 1).load(2, 1, 2).out(2, 1, 2)
    script.probe(1, 0, "on_spin", 1).probe(1, 0, "yield_to", 2).out(1, 0, 1, "R", then=2)
    script.back(2, 0, 2).out(2, 0, 2).back(1, 0, 1)
    result = script.account(write)
    assert result.total.outs["yielded"] == 1
    assert (result.yields.attempts, result.yields.helped, result.yields.loaded) == (1, 1, 0)


def test_a_damaged_line_does_not_make_numbers_into_text(write: Write) -> None:
    script = Script().load(1, 0, 1).out(1, 0, 1).back(1, 0, 1).put(1, 0, 1)
    script.lines.append(
        " t1-1 [000] ..... 2.000000: arch_load: (kvm_arch_vcpu_load+0x0/0x1 [kvm]) v"
    )
    script.lines.append(" t1-1 [000] ..... 2.000001: sched_switch: prev_pid=x")
    total = script.account(write).total
    assert total.loads["sched_in"] == 1 and total.outs["preempted"] == 1


def test_times_of_blocking_are_cut_at_the_wakeup(write: Write) -> None:
    script = Script().load(1, 0, 1).out(1, 0, 1, "S")
    script.add(99, 0, "sched_wakeup", "comm=t1 pid=1 prio=120 target_cpu=000")
    total = script.back(1, 0, 1).account(write).total
    assert (total.blocked_ns, total.woken_ns, total.preempted_ns) == (2_000_000, 2_000_000, 0)


def test_migration_is_a_load_on_another_cpu(write: Write) -> None:
    total = Script().load(1, 0, 1).out(1, 0, 1).back(1, 1, 1).account(write).total
    assert total.migrations == 1


def prepared(write: Write, *, between: bool, saved: bool, wants: int = 1) -> Accounting:
    script = Script().load(1, 0, 1)
    prep = (
        "(svm_prepare_switch_to_guest+0x0/0x90 [kvm_amd]) vcpu=0xffff{:04x}0 kvm=0xffffaa00 id={}"
    )
    script.add(1, 0, "prep", prep.format(1, 1))
    if not saved:
        script.put(1, 0, 1).load(1, 0, 1)
    script.out(1, 0, 1, then=2)
    if between:
        script.load(2, 0, 2).add(2, 0, "prep", prep.format(2, 2)).put(2, 0, 2)
    return script.back(1, 0, 1, wants).account(write)


def test_host_rules_own_area_is_right_to_skip(write: Write) -> None:
    result = prepared(write, between=False, saved=True)
    assert rule(result, "host", "sched_in", "same CPU, own area") == (1, 1, 0)
    assert rule(result, "host", "sched_in", "area tagged with load generation") == (1, 1, 0)


def test_host_rules_another_vcpu_prepared_between(write: Write) -> None:
    result = prepared(write, between=True, saved=True)
    assert rule(result, "host", "sched_in", "same CPU") == (1, 1, 1)
    assert rule(result, "host", "sched_in", "same CPU, own area") == (1, 0, 0)


def test_host_rules_nothing_saved_since_vcpu_load_is_wrong(write: Write) -> None:
    """The window that scheduled_out does not close: back to user mode since the last save."""
    result = prepared(write, between=False, saved=False)
    assert rule(result, "host", "sched_in", "same CPU, own area") == (1, 1, 1)
    assert rule(result, "host", "sched_in", "... and saved since this vcpu_load") == (1, 0, 0)


def test_host_rules_not_asked_outside_kvm_run(write: Write) -> None:
    result = prepared(write, between=False, saved=False, wants=0)
    assert rule(result, "host", "sched_in", "same CPU, own area") == (1, 0, 0)


def test_guest_rules_see_other_loads_here_and_own_loads_elsewhere(write: Write) -> None:
    script = Script().load(1, 0, 1).put(1, 0, 1).load(2, 0, 2).put(2, 0, 2).load(1, 0, 1)
    script.put(1, 0, 1).load(1, 1, 1).put(1, 1, 1).load(1, 0, 1)
    result = script.account(write)
    assert rule(result, "guest", "vcpu_load", "same CPU") == (5, 1, 1)
    assert rule(result, "guest", "vcpu_load", "nobody loaded here since") == (5, 1, 1)
    assert rule(result, "guest", "vcpu_load", "both") == (5, 0, 0)


def test_lost_events_before_a_load_leave_it_out(write: Write) -> None:
    script = Script().load(1, 0, 1).out(1, 0, 1).back(1, 0, 1)
    trace = read_trace(write("\n".join(script.lines).encode()))
    from loadput.trace.metadata import Missing

    trace.meta.missing.append(Missing("lost", "x", cpu=0, time_ns=1_003_500_000))
    result = account_trace(trace)
    assert next(s.unknown for s in result.skips if s.cause == "sched_in") == 1


PINNED = {
    "x86-6.12-ioctl.dat": ((431, 92), (92, 5, 0)),
    "x86-6.1.dat": ((217, 371), (371, 22, 0)),
    "arm64-6.12.dat": ((60, 205), (205, 5, 0)),
    "riscv64-7.2.dat": ((99, 446), (446, 20, 0)),
    "x86-6.12-perf.data": ((93, 57), (57, 6, 0)),
}


@pytest.mark.parametrize(("name", "expected"), PINNED.items())
def test_account_trace_of_fixtures(
    fixtures: Path, name: str, expected: tuple[tuple[int, int], tuple[int, int, int]]
) -> None:
    result = account_trace(read_trace(fixtures / name))
    loads = result.total.loads
    own = rule(result, "host", "sched_in", "same CPU, own area")
    assert ((loads["vcpu_load"], loads["sched_in"]), own) == expected
    assert (
        loads["direct"] == 0
        and sum(r.loads["sched_in"] for r in result.by_vcpu) == loads["sched_in"]
    )


def test_account_trace_text_equals_binary(fixtures: Path) -> None:
    binary = account_trace(read_trace(fixtures / "x86-6.1.dat"))
    text = account_trace(read_trace(fixtures / "x86-6.1.txt.xz"))
    assert (binary.total.loads, binary.total.outs) == (text.total.loads, text.total.outs)
    assert [(s.rule, s.skips, s.wrong) for s in binary.skips] == [
        (s.rule, s.skips, s.wrong) for s in text.skips
    ]


def test_account_trace_window_and_vm(fixtures: Path) -> None:
    trace = read_trace(fixtures / "x86-6.12-ioctl.dat")
    whole = account_trace(trace)
    middle = (whole.start_ns + whole.end_ns) // 2
    parts = [account_trace(trace, end_ns=middle), account_trace(trace, start_ns=middle + 1)]
    assert sum(p.total.loads["sched_in"] for p in parts) == whole.total.loads["sched_in"]
    by_vm = [account_trace(trace, vm=row.name).total.loads for row in whole.by_vm]
    assert sum(loads["vcpu_load"] for loads in by_vm) == whole.total.loads["vcpu_load"]


@pytest.mark.parametrize("option", [{"vm": "vm9"}, {"start_ns": 1 << 60}])
def test_account_trace_empty_choice_is_a_clear_error(
    fixtures: Path, option: dict[str, object]
) -> None:
    with pytest.raises(TraceError) as caught:
        account_trace(read_trace(fixtures / "x86-6.12-ioctl.dat"), **option)  # type: ignore[arg-type]
    assert caught.value.code == "LP0611"


def test_read_log_without_any_kvm_event_says_what_to_record(write: Write) -> None:
    with pytest.raises(TraceError) as caught:
        Script().switch(1, 2, 0, "S").account(write)
    assert caught.value.code == "LP0610" and "trace-cmd record" in str(caught.value)


def test_infer_log_blocked_outs_equal_the_probed(fixtures: Path) -> None:
    trace = read_trace(fixtures / "riscv64-7.2.dat")
    roles = find_roles(trace)
    for part in FUNCTIONS:
        roles.parts.pop(part, None)
    seen, inferred = find_outs(read_log(trace), trace), find_outs(infer_log(trace, roles), trace)
    blocked = REASONS.index("blocked")
    assert abs(int((seen.reason == blocked).sum()) - int((inferred.reason == blocked).sum())) <= 2
    assert abs(seen.start.size - inferred.start.size) < 0.1 * seen.start.size


def test_find_roles_by_symbol_not_by_name(fixtures: Path) -> None:
    roles = find_roles(read_trace(fixtures / "riscv64-7.2.dat"))
    assert roles.parts["arch_load"] == "arch_load"  # not load_x, on the same function
    assert roles.functions["load_x"] == "kvm_arch_vcpu_load"


def test_state_bits_of_the_print_format(fixtures: Path) -> None:
    trace = read_trace(fixtures / "x86-6.1.dat")
    assert state_bits(trace.print_format("sched_switch")) == (0xFF, 0x100)


@pytest.mark.parametrize("text", ["f(1)", "1 << 9999", "a", "2 ** 9", "'x'"])
def test_evaluate_refuses_what_is_no_constant(text: str) -> None:
    with pytest.raises(ValueError):
        evaluate(text)


def test_describe_percentiles_and_histogram() -> None:
    dist = describe(np.array([1, 2, 3, 1000]))
    assert (dist.count, dist.max_ns, dist.percentiles_ns["p50"]) == (4, 1000, 2)
    assert dist.histogram == [1, 2, 0, 0, 0, 0, 0, 0, 0, 1]


def test_bootstrap_ratio_holds_the_share_and_refuses_short_recordings() -> None:
    hit = np.arange(4000) % 4 == 0
    low, high = bootstrap_ratio(hit, np.arange(4000), (0, 4000)) or (1.0, 0.0)
    assert low <= 0.25 <= high and high - low < 0.05
    assert bootstrap_ratio(hit[:20], np.arange(20), (0, 20)) is None
    assert bootstrap_ratio(hit, np.zeros(4000, np.int64), (0, 4000)) is None


def test_load_costs_each_has_a_source_and_a_range() -> None:
    for cost in load_costs():
        assert 0 < cost.low <= cost.high and len(cost.source) > 20


def test_load_costs_damaged_table_is_a_clear_error(write: Write) -> None:
    with pytest.raises(TraceError) as caught:
        load_costs(write(b"[vmsave]\nlow = 1\n"))
    assert caught.value.code == "LP0612"


def test_savings_share_needs_a_frequency(fixtures: Path) -> None:
    trace = read_trace(fixtures / "x86-6.12-ioctl.dat")
    assert account_trace(trace).savings[0].share_low == -1
    assert 0 < account_trace(trace, ghz=3.0).savings[0].share_low < 1


def test_a_first_argument_that_nobody_named_is_the_vcpu(fixtures: Path, write: Write) -> None:
    """``p:load vcpu_load $arg1``: the field is called arg1; that of kvm_sched_in the notifier."""
    data = (fixtures / "x86-6.1-v6.dat").read_bytes()
    bare = data.replace(b"u64 vcpu;", b"u64 arg1;")
    bare = re.sub(rb"u64 pn;\toffset:(\d+);\tsize", rb"u64 arg1;offset:\1;size", bare)
    named, unnamed = read_trace(fixtures / "x86-6.1-v6.dat"), read_trace(write(bare))
    assert "arg1" in unnamed.fields("sched_in") and "vcpu" not in unnamed.fields("arch_load")
    assert account_trace(unnamed).total == account_trace(named).total


def test_probes_without_arguments_take_each_task_for_a_vcpu(fixtures: Path, write: Write) -> None:
    data = (fixtures / "x86-6.1-v6.dat").read_bytes()
    bare = data.replace(b"u64 vcpu;", b"u64 v_pu;").replace(b"u64 pn;", b"u64 p_;")
    named = account_trace(read_trace(fixtures / "x86-6.1-v6.dat"))
    result = account_trace(read_trace(write(bare)))
    assert result.total.loads == named.total.loads
    assert any("each task" in line for line in result.notes)
    assert {v.pid for v in result.vcpus} >= {v.pid for v in named.vcpus}


def test_steal_is_the_time_that_the_task_waits_for_a_cpu(write: Write) -> None:
    script = Script().load(1, 0, 1).out(1, 0, 1)  # out: 3 ms to the switch back
    script.back(1, 0, 1).out(1, 0, 1, "S")
    script.add(99, 0, "sched_wakeup", "comm=t1 pid=1 prio=120 target_cpu=000")
    script.add(99, 0, "sched_wakeup", "comm=t1 pid=1 prio=120 target_cpu=000")
    script.back(1, 0, 1)
    script.add(9, 1, "sched_wakeup", "comm=t1 pid=1 prio=120 target_cpu=000")  # it runs
    script.put(1, 0, 1).switch(1, 99, 0, "R").switch(99, 1, 0, "S")  # 1 ms, not loaded
    result = script.load(1, 0, 1).account(write)
    assert result.total.steal_ns == 3_000_000 + 2_000_000 + 1_000_000
    assert result.by_vcpu[0].steal_ns == result.total.steal_ns
    # From each probe to the next: sched_out to sched_in, wakeup to sched_in.
    assert (result.total.preempted_ns, result.total.woken_ns) == (3_000_000, 3_000_000)


def test_steal_is_not_known_without_the_switches(write: Write) -> None:
    result = Script().load(1, 0, 1).put(1, 0, 1).account(write)
    assert (result.total.steal_ns, result.total.vcpu_count) == (-1, 1)


PROBED = ["load", "put", "sched_in", "sched_out", "arch_load", "arch_put"]


@pytest.mark.parametrize(
    ("kept", "inferred"),
    [
        (["load", "put", "sched_in", "sched_out"], False),
        (["arch_load", "put", "sched_out"], False),
        (["arch_load", "arch_put"], False),
        (["sched_in"], True),
        (["sched_in", "sched_out"], True),
        (["load", "arch_put"], True),
        (["arch_load"], True),
    ],
)
def test_what_a_probe_saw_is_not_inferred(fixtures: Path, kept: list[str], inferred: bool) -> None:
    whole = account_trace(read_trace(fixtures / "x86-6.1.dat"))
    trace = read_trace(fixtures / "x86-6.1.dat")
    counts, backend = trace._backend.count_events(), trace._backend
    drop = {"svm_load", "svm_put", *PROBED} - set(kept)
    backend.count_events = lambda: {n: c for n, c in counts.items() if n not in drop}  # type: ignore[method-assign]
    backend.meta.cpu_stats.clear()
    part = account_trace(trace)
    assert part.is_inferred == inferred
    assert [v.name for v in part.vcpus] == [v.name for v in whole.vcpus], "VM and id by the probe"
    assert {v.comm for v in part.vcpus} == {v.comm for v in whole.vcpus}
    if "arch_load" in kept or {"load", "sched_in"} <= set(kept):
        # The recording may end between vcpu_load and what it calls.
        more = sum(part.total.loads.values()) - sum(whole.total.loads.values())
        assert more == (0 if "arch_load" in kept else 1)
    if "sched_in" in kept:
        assert part.total.loads["sched_in"] == whole.total.loads["sched_in"]
    if "sched_out" in kept:
        assert part.total.outs["blocked"] == whole.total.outs["blocked"]
    said = " ".join(part.notes)
    for name in ("vcpu_load", "kvm_sched_in"):
        if inferred:
            assert (name in said.partition(":")[0]) == (
                {"vcpu_load": "load", "kvm_sched_in": "sched_in"}[name] not in kept
            )


STOCK = """
 qemu 10/11 [000] 1.000001: kvm:kvm_entry: vcpu 0, rip 0x1
 qemu 10/11 [000] 1.000002: kvm:kvm_exit: vcpu 0 reason halt rip 0x1
 qemu 20/21 [001] 1.000003: kvm:kvm_entry: vcpu 0, rip 0x1
 qemu 20/22 [001] 1.000004: kvm:kvm_entry: vcpu 1, rip 0x1
"""
STOCK += " swapper 0 [000] 1.000005: sched:sched_switch: prev_comm=a prev_pid=0 prev_prio=1"
STOCK += " prev_state=R ==> next_comm=b next_pid=11 next_prio=1\n"


def test_stock_tracepoints_tell_vcpus_apart_by_process_and_task(write: Write) -> None:
    by_process = account_trace(read_trace(write(STOCK.encode())))
    assert [v.name for v in by_process.vcpus] == ["vm0/0", "vm1/0", "vm1/1"]
    alone = re.sub(r"\d+/", "", STOCK)
    by_task = account_trace(read_trace(write(alone.encode())))
    assert [v.name for v in by_task.vcpus] == ["vcpu0@11", "vcpu0@21", "vcpu1@22"]
    assert {v.comm for v in by_task.vcpus} == {"qemu"}


def test_names_come_from_the_scheduler_s_events_without_a_list(fixtures: Path) -> None:
    listed, bare = (read_trace(fixtures / "x86-6.1.dat") for _ in range(2))
    bare.meta.cmdlines.clear()
    want, got = listed.columns("sched_switch"), bare.columns("sched_switch")
    vcpus = np.char.startswith(want["comm"], b"vm")
    assert vcpus.any() and (got["comm"][vcpus] == want["comm"][vcpus]).all()
    assert {v.comm for v in account_trace(bare).vcpus} == {
        v.comm for v in account_trace(listed).vcpus
    }

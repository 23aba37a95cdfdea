"""The full recordings, where they are: the figures that their README gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loadput.trace import read_trace
from loadput.trace.account import account_trace
from loadput.trace.account.infer import infer_log
from loadput.trace.account.loads import REASONS, find_outs
from loadput.trace.account.read import read_log
from loadput.trace.needs import FUNCTIONS, find_roles

RECORDINGS = {
    "x86-svm-6.1/trace.dat": 431_556,
    "x86-svm-6.1-text/trace.dat": 84_581,
    "x86-svm-6.1-text/trace.txt.xz": 84_581,
    "x86-svm-6.1-ple/trace.dat": 232_923,
    "x86-svm-6.12/trace.dat": 365_870,
    "x86-svm-6.12/record.dat": 236_992,
    "x86-svm-6.12-ple/trace.dat": 263_836,
    "x86-svm-6.12-ioctl/trace.dat": 160_781,
    "x86-svm-6.12-perf/perf.data": 84_102,
    "arm64-6.12/trace.dat": 313_677,
    "riscv64-7.2/trace.dat": 207_423,
}


@pytest.mark.parametrize(("name", "count"), RECORDINGS.items())
def test_events_equal_the_ring_buffers_counters(shared: Path, name: str, count: int) -> None:
    trace = read_trace(shared / name)
    assert sum(trace.events().values()) == count
    assert trace.is_complete
    stats = (shared / name).parent / "stats.txt"
    if name.endswith("trace.dat"):
        entries = re.findall(r"entries: (\d+) overrun", stats.read_text())
        assert sum(map(int, entries)) == count


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_load_has_a_cause(shared: Path, name: str) -> None:
    result = account_trace(read_trace(shared / name))
    loads = result.total.loads
    assert loads["vcpu_load"] and loads["sched_in"]
    assert loads["direct"] == loads["unknown"] == 0
    assert result.total.outs["unknown"] == 0


def test_ioctl_recording_skips_and_wrong_ones(shared: Path) -> None:
    result = account_trace(read_trace(shared / "x86-svm-6.12-ioctl/trace.dat"))
    rules = {s.rule: s for s in result.skips if s.state == "host"}
    own = rules["same CPU, own area"]
    assert (own.loads, own.skips, own.wrong) == (2415, 234, 13)
    assert rules["area tagged with load generation"].wrong == 0


def test_ioctl_recording_preempted_outside_kvm_run(shared: Path) -> None:
    trace = read_trace(shared / "x86-svm-6.12-ioctl/trace.dat")
    assert int((trace.columns("sched_out", ["wants"])["wants"] == 0).sum()) == 173


def test_stock_recording_sched_ins(shared: Path) -> None:
    cols = read_trace(shared / "x86-svm-6.12/trace.dat").columns("sched_in", ["preempted", "ready"])
    blocked = (cols["preempted"] == 0) & (cols["ready"] == 1)
    assert (cols["ready"].size, int(blocked.sum())) == (12_585, 4_183)


def test_inference_from_stock_tracepoints_against_the_probes(shared: Path) -> None:
    trace = read_trace(shared / "x86-svm-6.12/trace.dat")
    roles = find_roles(trace)
    for part in FUNCTIONS:
        roles.parts.pop(part, None)
    seen, inferred = find_outs(read_log(trace), trace), find_outs(infer_log(trace, roles), trace)
    blocked = REASONS.index("blocked")
    assert (seen.start.size, inferred.start.size) == (12_585, 12_486)
    assert int((seen.reason == blocked).sum()) == int((inferred.reason == blocked).sum()) == 4_187

"""Text formats, line by line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from loadput.base.errors import TraceError
from loadput.trace import read_trace

FTRACE = """# tracer: nop
#
# entries-in-buffer/entries-written: 3/10   #P:2
#
   my-task 1-x-118   [000] d.h3.    11.725186: sched_waking: comm=a b pid=15 prio=120 target_cpu=001
          <idle>-0   [001] dNs4.    11.720465: kvm_entry: vcpu 3, rip 0x1026
CPU:1 [LOST 7 EVENTS]
  <...>-9 [001] .....    12.000001: load: (vcpu_load+0x0/0x50 [kvm]) vcpu=0xffff8f47c3591c50 id=-1
"""
PERF = """
  my task 1   118/120 [000] 34.542405: 1 sched:sched_waking: comm=x pid=22 prio=0 target_cpu=000
          vm0.0s   213 [001]    34.722785123:      kvm:kvm_entry: vcpu 0, rip 0x1000
\tffffffff8100 some_symbol ([kernel.kallsyms])
"""
REPORT = """cpus=2
          <idle>-0     [001]    11.713250: sched_switch:         swapper/1:0 [120] R ==> a:b:15 [98]
  <idle>-0       1d..2.    11.713251: sched_wakeup:         rcu:15 [120] CPU:001
"""


def read(write: Callable[[bytes], str], text: str):  # type: ignore[no-untyped-def]
    return read_trace(write(text.encode()))


def test_ftrace_fields_and_context(write: Callable[[bytes], str]) -> None:
    trace = read(write, FTRACE)
    cols = trace.columns("sched_waking")
    assert cols["pid"].tolist() == [118] and cols["comm"].tolist() == [b"my-task 1-x"]
    assert cols["comm_field"].tolist() == [b"a b"] and cols["pid_field"].tolist() == [15]
    assert cols["flags"].tolist() == [0x01 | 0x08] and cols["preempt_depth"].tolist() == [3]
    assert cols["time_ns"].tolist() == [11_725_186_000]


def test_ftrace_words_and_signs(write: Callable[[bytes], str]) -> None:
    trace = read(write, FTRACE)
    entry, load = trace.columns("kvm_entry"), trace.columns("load")
    assert entry["vcpu_id"].tolist() == [3] and entry["rip"].tolist() == [0x1026]
    assert load["vcpu"].dtype == np.uint64 and load["id"].tolist() == [-1]


def test_ftrace_lost_events_are_reported(write: Callable[[bytes], str]) -> None:
    assert [m.count for m in read(write, FTRACE).missing] == [7, 7]


def test_perf_script_fields(write: Callable[[bytes], str]) -> None:
    trace = read(write, PERF)
    assert trace.kind == "perf script"
    assert trace.columns("kvm_entry")["time_ns"].tolist() == [34_722_785_123]
    waking = trace.columns("sched:sched_waking")
    assert waking["pid"].tolist() == [120] and waking["comm"].tolist() == [b"my task 1"]


def test_trace_cmd_report_words_for_the_scheduler(write: Callable[[bytes], str]) -> None:
    trace = read(write, REPORT)
    switch = trace.columns("sched_switch")
    assert switch["next_comm"].tolist() == [b"a:b"] and switch["next_pid"].tolist() == [15]
    wakeup = trace.columns("sched_wakeup")
    assert wakeup["target_cpu"].tolist() == [1] and wakeup["cpu"].tolist() == [1]


WAKING = "sched_waking: comm=x pid=2 prio=0 target_cpu=000"


@pytest.mark.parametrize(
    ("line", "time", "flags"),
    [
        (f"  a-1  [001]  12.000018: (+18)    {WAKING}", 12_000_018_000, 0),  # report --ts-diff
        (f"  a-1  [001]  d..2.  12.000018123: {WAKING}", 12_000_018_123, 1),
        (f"  a-1  (     7) [001] d..2.  12.000018: {WAKING}", 12_000_018_000, 1),
        (f"  a-1       1d..2.    4us : {WAKING}", 4000, 1),  # the latency format
        (f"  a-1       1d..2.  312us!: {WAKING}", 312_000, 1),
        (f"  a-1  [001]  d..2.  777: {WAKING}", 777, 1),  # a clock that counts
    ],
)
def test_other_tools_lines(write: Callable[[bytes], str], line: str, time: int, flags: int) -> None:
    trace = read(write, line + "\n")
    cols = trace.columns("sched_waking")
    assert (cols["time_ns"].tolist(), cols["flags"].tolist()) == ([time], [flags])
    assert cols["cpu"].tolist() == [1] and cols["pid_field"].tolist() == [2]
    assert trace.is_complete


def test_switch_with_what_report_adds_behind_it(write: Callable[[bytes], str]) -> None:
    line = " a-1 [000] 1.0: sched_switch: a:1 [120] R ==> b:2 [98] Latency: 3187.554 usecs\n"
    cols = read(write, line).columns("sched_switch")
    assert cols["prev_state"].tolist() == [b"R"] and cols["next_prio"].tolist() == [98]


def test_lines_that_cannot_be_read_are_counted(write: Callable[[bytes], str]) -> None:
    odd = "  a task  [001] d..2. 12.500000: what: is this\n"
    trace = read(write, FTRACE + odd * 3)
    (gap,) = [m for m in trace.missing if m.kind == "corrupt"]
    assert gap.count == 3 and gap.offset == len(FTRACE) and "3 lines" in gap.text


@pytest.mark.parametrize("text", ["hello\n", "\0\1\2", "a-1 [x] 3: b: c\n" * 3])
def test_other_text_is_a_clear_error(write: Callable[[bytes], str], text: str) -> None:
    with pytest.raises(TraceError) as caught:
        read(write, text)
    assert caught.value.code == "LP0602"


def test_empty_file_is_a_clear_error(write: Callable[[bytes], str]) -> None:
    with pytest.raises(TraceError, match="empty file"):
        read(write, "")

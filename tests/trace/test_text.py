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


TWO = """ cpus=4
      trace.dat: challenge-24797 [003] d..1 84.290326: kvm_entry: vcpu 0
      trace.dat: <idle>-0     [003] .... 84.290337: kvm_exit: reason HLT rip 0xff info e90008 0
trace-Guest.dat:   sshd: a-2046  [003] d... 84.290412: sched_waking: comm=x pid=2 prio=0
trace-Guest.dat:      <idle>-0     [003] d... 84.290300: kvm_entry: vcpu 0
"""


def test_two_systems_in_one_text_are_never_merged(write: Callable[[bytes], str]) -> None:
    with pytest.raises(TraceError) as caught:
        read(write, TWO)
    assert caught.value.code == "LP0608"
    assert caught.value.available == "trace.dat (2 events), trace-Guest.dat (2 events)"
    host = read_trace(write(TWO.encode()), file="trace.dat")
    assert host.events() == {"kvm_entry": 1, "kvm_exit": 1}
    assert host.columns("kvm_entry")["comm"].tolist() == [b"challenge"]
    with pytest.raises(TraceError, match="no recording 'trace-Guest'"):
        read_trace(write(TWO.encode()), file="trace-Guest")


@pytest.mark.parametrize("names", ["a/trace.dat: x/b.dat: ", "my host.dat: guest.dat: "])
def test_prefixes_of_any_width_are_found(write: Callable[[bytes], str], names: str) -> None:
    one, two = (n + ": " for n in names.split(": ")[:2])
    text = f"{one}a-1 [000] 1.0: kvm_entry: vcpu 0\n{two}a-1 [000] 0.5: kvm_exit: vcpu 0\n"
    assert read_trace(write(text.encode()), file=two[:-2]).events() == {"kvm_exit": 1}


def test_a_file_name_is_refused_where_the_text_has_one_system(
    write: Callable[[bytes], str],
) -> None:
    with pytest.raises(TraceError) as caught:
        read_trace(write(FTRACE.encode()), file="trace.dat")
    assert caught.value.code == "LP0608" and caught.value.next == "leave --file out"


def test_instances_of_one_file_are_one_system(write: Callable[[bytes], str]) -> None:
    lines = [f"       a-1 [000] 1.{i:06}: kvm_entry: vcpu 0\n" for i in range(4)]
    lines += [f"inst:  a-1 [000] 1.{i:06}: kvm_entry: vcpu 0\n" for i in range(3, 8)]
    trace = read(write, "".join(lines))
    assert trace.events() == {"kvm_entry": 8}, "the one that both printed counts once"
    assert set(trace.columns("kvm_entry")["comm"].tolist()) == {b"a"}


def test_a_colon_in_a_name_is_no_prefix(write: Callable[[bytes], str]) -> None:
    text = "  sshd: a-1 [000] 1.0: kvm_entry: vcpu 0\n  bash-2 [000] 1.1: kvm_entry: vcpu 0\n"
    assert read(write, text).columns("kvm_entry")["comm"].tolist() == [b"sshd: a", b"bash"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("  py 114 [000]  34.9:  250000  cpu-clock:   7fc9acba _PyTrash+0x6 (/l.so)", "cpu-clock"),
        ("  py 11436/11437 [001] 34.8: cycles:P:  ffffffff8100 do_idle+0x5 ([kernel])", "cycles"),
        ("  my task 9 [001] 34.8: 1 cpu/cycles/u: ", "cpu/cycles/u"),
        ("  py 9 [001] 34.8: 1 instructions:u: 7fc9 f (/l.so)", "instructions"),
    ],
)  # fmt: skip
def test_samples_that_are_no_tracepoints_are_no_gap(
    write: Callable[[bytes], str], line: str, name: str
) -> None:
    trace = read(write, PERF + line + "\n")
    assert trace.events() == read(write, PERF).events()
    assert (trace.others, trace.is_complete) == ({name: 1}, True)


@pytest.mark.parametrize(
    "line", ["  a-1  [001] d..2. 12.5: do_idle <-cpu_startup_entry", "  a-1 1d..2. 12us : f <-g"]
)
def test_the_function_tracer_s_lines_are_no_gap(write: Callable[[bytes], str], line: str) -> None:
    trace = read(write, FTRACE + line + "\n")
    assert trace.others == {"function": 1}
    assert [m.kind for m in trace.missing] == ["lost", "lost"]


def test_times_that_run_back_are_refused_with_the_reason(write: Callable[[bytes], str]) -> None:
    text = "".join(
        f" a 1 [00{i % 2}] 0.{d}: kvm:kvm_entry: vcpu 0\n" for i, d in enumerate("12301")
    )
    with pytest.raises(TraceError) as caught:
        read(write, text)
    assert caught.value.code == "LP0602" and "--deltatime" in str(caught.value)
    assert "run back on CPU 1" in str(caught.value) and caught.value.got == (
        "0.000000000 s behind 0.200000000 s"
    )


def test_numbers_in_hex_without_0x_are_no_names(write: Callable[[bytes], str]) -> None:
    text = "".join(
        f" a-1 [000] 1.{i}: kvm_exit: reason IO_INSTRUCTION rip 0xff info {info}\n"
        for i, info in enumerate(["e90008 0", "0 800000f6", "deadbeef cafebabe"])
    )
    cols = read(write, text).columns("kvm_exit")
    assert set(cols) & {"e90008", "deadbeef", "info", "rip", "info1"} == {"rip", "info1"}
    assert cols["info1"].tolist() == [0xE90008, 0, 0xDEADBEEF]
    assert cols["info2"].tolist() == [0, 0x800000F6, 0xCAFEBABE]

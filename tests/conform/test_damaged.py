"""A damaged specification, or a recording with one flag flipped, diverges where it must."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadput.conform import conform_trace
from loadput.trace import Trace, read_trace
from loadput.trace.table import Columns

from .conftest import conform, diverging, find_recording

# recording, release, twin: what diverges
TOLD = [
    ("x86-6.12-ple.dat", "v6.12", "sout_cleared_before_load", {"scheduled_out": 536}),
    ("arm64-6.12.dat", "v6.12", "sout_cleared_before_load", {"scheduled_out": 400, "order": 1}),
    ("x86-6.12-ple.dat", "v6.12", "on_rq_ignored", {"preempted": 34, "ready": 34}),
    ("arm64-6.12.dat", "v6.12", "on_rq_ignored", {"preempted": 146, "ready": 146}),
    ("x86-6.1-ple.dat", "v6.1.192", "wants_honoured", {"preempted": 2, "ready": 2}),
    ("riscv64-7.2.dat", "v7.2", "riscv_skip_without_former", {"restore": 458}),
    ("riscv64-7.2.dat", "v7.2", "riscv_skip_anywhere", {"restore": 2}),
    ("riscv64-7.2.dat", "v7.2", "riscv_never_skips", {"restore": 62}),
    ("riscv64-7.2/trace.dat", "v7.2", "riscv_skip_without_former", {"restore": 12_617}),
    ("riscv64-7.2/trace.dat", "v7.2", "riscv_skip_anywhere", {"restore": 7}),
    (
        "riscv64-7.2/trace.dat",
        "v7.2",
        "riscv_never_skips",
        {"scheduled_out": 1, "restore": 2_413},
    ),
    ("x86-svm-6.12/trace.dat", "v6.12", "sout_cleared_before_load", {"scheduled_out": 25_170}),
    ("x86-svm-6.12/trace.dat", "v6.12", "on_rq_ignored", {"preempted": 4_187, "ready": 4_187}),
    ("arm64-6.12/trace.dat", "v6.12", "on_rq_ignored", {"preempted": 6_199, "ready": 6_199}),
    ("x86-svm-6.1-ple/trace.dat", "v6.1.192", "wants_honoured", {"preempted": 11, "ready": 11}),
]


@pytest.mark.parametrize(("name", "release", "twin", "wrong"), TOLD)
def test_damaged_specification_diverges_on_the_recording_that_can_tell(
    name: str, release: str, twin: str, wrong: dict[str, int]
) -> None:
    result = conform(name, release, twin)
    assert (result.verdict, result.exit_code) == ("diverges", 1)
    assert diverging(result) == wrong


def test_recordings_that_cannot_tell_conform_to_the_damaged_specification() -> None:
    assert conform("x86-6.12-ioctl.dat", "v6.12", "on_rq_ignored").verdict == "conforms", "no waits"
    assert conform("x86-6.1.dat", "v6.1.192", "wants_honoured").verdict == "conforms", "no ioctls"


class Flipped:
    """A recording whose one flag of one event reads the other way round."""

    def __init__(self, name: str, event: str, flag: str, row: int) -> None:
        self.inner: Any = read_trace(str(find_recording(name)))._backend
        self.event, self.flag, self.row = event, flag, row

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def gather(self, wanted: dict[str, list[str]], with_comm: set[str]) -> dict[str, Columns]:
        got: dict[str, Columns] = self.inner.gather(wanted, with_comm)
        column = got.get(self.event, {}).get(self.flag)
        if column is not None:
            got[self.event][self.flag] = column = column.copy()
            column[self.row] ^= 1
        return got


CASES = [
    ("x86-6.12-ioctl.dat", "arch_put", "preempted"),
    ("x86-6.12-ioctl.dat", "arch_load", "so"),
    ("x86-6.12-ioctl.dat", "svm_put", "wants"),
    ("x86-6.12-ioctl.dat", "put", "ready"),
    ("arm64-6.12.dat", "arch_put", "so"),
    ("riscv64-7.2.dat", "arch_load", "preempted"),
    ("riscv64-7.2.dat", "sched_in", "so"),
    ("x86-6.1.dat", "arch_put", "preempted"),
    ("x86-6.1.dat", "sched_in", "ready"),
    ("riscv64-7.2.dat", "put", "ready"),
]


@pytest.mark.parametrize(("name", "event", "flag"), CASES)
def test_one_flipped_flag_diverges_at_its_event(name: str, event: str, flag: str) -> None:
    times = read_trace(str(find_recording(name))).columns(event, [])["time_ns"]
    # Neither the first events of each vCPU, whose past is unknown, nor where one CPU is not seen.
    for row in np.linspace(times.size * 0.4, times.size * 0.6, 5).astype(int).tolist():
        result = conform_trace(Trace(Flipped(name, event, flag, row)))
        assert result.verdict == "diverges"
        first = result.fits[0].first
        assert first is not None
        assert (first.time_ns, first.event) == (times[row], event), f"row {row}"


def test_the_first_divergence_stands_in_ten_events_of_its_vcpu() -> None:
    first = conform("x86-6.1-ple.dat", "v6.1.192", "wants_honoured").fits[0].first
    assert first is not None
    assert (first.aspect, first.expected, first.got) == ("preempted", "0", "1")
    assert [row.function for row in first.context] == [
        "svm_vcpu_put", "vcpu_load", "kvm_arch_vcpu_load", "svm_vcpu_load",
        "kvm_arch_vcpu_load returns", "kvm_sched_out", "kvm_arch_vcpu_put", "svm_vcpu_put",
        "kvm_sched_in", "kvm_arch_sched_in",
    ]  # fmt: skip
    assert [row.is_divergence for row in first.context].index(True) == 6
    assert first.context[6].wants_to_run == 0 and first.context[6].preempted == 1

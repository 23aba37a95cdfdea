"""Recordings of real kernels conform, each to the release that it was recorded on."""

from __future__ import annotations

import pytest

from loadput.conform import Conformance

from .conftest import conform

# recording, release, rows; compared: order, preempted, scheduled_out, irqs; ready by a race
FITS = [
    ("arm64-6.12.dat", "v6.12", 2_348, 2_335, 2_335, 2_335, 0, 1),
    ("riscv64-7.2.dat", "v7.2", 3_395, 3_383, 3_383, 3_380, 0, 11),
    ("x86-6.1-ple.dat", "v6.1.192", 3_170, 3_153, 2_685, 0, 2_656, 0),
    ("x86-6.1-v6.dat", "v6.1.192", 1_090, 1_078, 1_014, 0, 826, 0),
    ("x86-6.1-zlib.dat", "v6.1.192", 6_104, 6_092, 5_719, 0, 4_642, 0),
    ("x86-6.1.dat", "v6.1.192", 6_104, 6_092, 5_719, 0, 4_642, 0),
    ("x86-6.1.txt.xz", "v6.1.192", 6_104, 6_092, 5_719, 0, 4_642, 0),
    ("x86-6.12-ioctl.dat", "v6.12", 4_391, 4_382, 4_381, 4_382, 3_849, 0),
    ("x86-6.12-perf.data", "v6.12", 910, 899, 899, 899, 0, 0),
    ("x86-6.12-ple.dat", "v6.12", 3_509, 3_491, 3_490, 3_491, 2_700, 2),
    ("arm64-6.12/trace.dat", "v6.12", 107_827, 107_818, 107_818, 107_818, 0, 2),
    ("riscv64-7.2/trace.dat", "v7.2", 94_953, 94_944, 94_944, 94_944, 0, 162),
    ("x86-svm-6.1/trace.dat", "v6.1.192", 220_918, 220_907, 189_203, 0, 170_764, 4),
    ("x86-svm-6.1-ple/trace.dat", "v6.1.192", 135_712, 135_695, 114_951, 0, 105_724, 10),
    ("x86-svm-6.1-text/trace.dat", "v6.1.192", 40_621, 40_610, 38_070, 0, 30_708, 2),
    ("x86-svm-6.1-text/trace.txt.xz", "v6.1.192", 40_621, 40_610, 38_070, 0, 30_708, 2),
    ("x86-svm-6.12/record.dat", "v6.12", 115_270, 115_259, 115_259, 115_259, 85_972, 4),
    ("x86-svm-6.12/trace.dat", "v6.12", 184_800, 184_789, 184_789, 184_789, 139_236, 4),
    ("x86-svm-6.12-ioctl/trace.dat", "v6.12", 109_641, 109_635, 109_635, 109_635, 95_809, 0),
    ("x86-svm-6.12-perf/perf.data", "v6.12", 29_298, 29_287, 29_287, 29_287, 0, 2),
    ("x86-svm-7.3/trace.dat", "v7.3", 91_269, 91_258, 91_258, 91_258, 69_518, 32),
    ("x86-svm-6.12-ple/trace.dat", "v6.12", 147_019, 147_002, 147_002, 147_002, 108_201, 32),
]


@pytest.mark.parametrize(("name", "release", "rows", *"abcd", "raced"), FITS)
def test_recording_conforms_to_its_own_release(
    name: str, release: str, rows: int, a: int, b: int, c: int, d: int, raced: int
) -> None:
    result = conform(name)
    counts = {x.aspect: x for x in result.fits[0].counts}
    assert (result.verdict, result.release, result.probe_count) == ("conforms", release, rows)
    compared = [counts[x].compared for x in ("order", "preempted", "scheduled_out", "irqs")]
    assert compared == [a, b, c, d]
    assert counts["ready"].widened == raced
    for count in result.fits[0].counts:
        assert count.diverging == 0
        assert count.widened <= 0.01 * (count.compared + count.widened)
        assert count.compared + count.widened + count.open > 0 or count.note


def test_another_release_is_told_to_fit_the_common_functions_only() -> None:
    from loadput.conform.text import fits_words

    fit = conform("riscv64-7.2.dat").fits[0]
    assert fits_words("Linux 7.2.12+deb14-riscv64", "v7.2", fit) == "fits v7.2"
    words = fits_words("Linux 6.18.2-riscv64", "v6.12", fit)
    assert words == "fits v6.12's common functions (there is no release v6.18 here)"


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("riscv64-7.2.dat", 3_383),
        ("riscv64-7.2/trace.dat", 94_944),
        ("arm64-6.12.dat", 2_335),
        ("arm64-6.12/trace.dat", 107_818),
    ],
)
def test_what_v7_3_changes_there_is_between_the_probes(name: str, rows: int) -> None:
    """No recording of 7.3 on riscv or arm64 is here; what these show tells it from nothing."""
    result = conform(name, "v7.3")
    order = next(c for c in result.fits[0].counts if c.aspect == "order")
    assert (result.verdict, order.compared, order.diverging) == ("conforms", rows, 0)


@pytest.mark.parametrize(
    ("name", "restores", "clean"),
    [("riscv64-7.2.dat", 543, 439), ("riscv64-7.2/trace.dat", 15_258, 12_106)],
)
def test_each_load_that_skips_its_csrs_is_predicted(name: str, restores: int, clean: int) -> None:
    result = conform(name)
    counts = {c.aspect: c for c in result.fits[0].counts}
    restore, dirty = counts["restore"], counts["csr_dirty"]
    assert (restore.compared, restore.widened, restore.diverging) == (restores, 0, 0)
    assert (dirty.compared, dirty.diverging) == (clean, 0)
    assert told(result, "v6.12") == (
        "order at timer_restore: it allows kvm_riscv_gstage_update_hgatp,"
        " the kernel had kvm_riscv_vcpu_timer_restore"
    )


def told(result: Conformance, release: str) -> str:
    return result.told_apart[release]


def test_what_tells_6_1_192_from_the_others_is_named() -> None:
    result = conform("x86-6.1.dat")
    assert told(result, "v6.12") == "order at arch_sched_in: it has no kvm_arch_sched_in"
    assert told(result, "v6.1") == "wants_to_run at load: it allows 0, the kernel had 1"


def test_wants_to_run_tells_6_11_pre_from_6_12_where_an_ioctl_was_preempted() -> None:
    said = "preempted at arch_put: it allows 1, the kernel had 0"
    assert told(conform("x86-6.12-ioctl.dat"), "v6.11-pre") == said
    assert told(conform("arm64-6.12.dat"), "v6.11-pre") == "", "nothing of it was preempted"


def test_arm64_shows_exceptions_flags_and_says_so_instead_of_comparing() -> None:
    counts = {c.aspect: c for c in conform("arm64-6.12.dat").fits[0].counts}
    assert counts["irqs"].compared == counts["irqs"].diverging == 0
    assert counts["irqs"].note == "the probe handler's own: IRQs are off at vcpu_load"

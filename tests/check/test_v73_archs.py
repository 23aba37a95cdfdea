"""v7.3 on the architectures that are not x86: so many states, and what holds in them."""

from __future__ import annotations

import pytest

from loadput.base.errors import LoadputError
from loadput.check.verdict import Result, check
from loadput.ir.ops import Load, Store
from loadput.link.program import Choice, link
from loadput.link.scenario import load_scenario, make_scenario
from loadput.report.text import render_result

STATES = {
    # architecture: states on one, and on the scenario that shows its new mechanisms
    "arm64": (1_492, "pause", 19_500),
    "arm64-nv": (4_315, "sve", 2_138),
    "arm64-nvhe": (1_966, "spe", 1_504),
    "loongarch": (6_564, "migration", 2_749),
    "mips": (824, "migration", 9_229),
    "powerpc": (1_029, "doorbell", 25_661),
    "riscv": (2_881, "shared", 13_360),
    "s390": (2_262, "exit-sie", 13_846),
}


def run(arch: str, scenario: str) -> Result:
    return check(Choice(arch, release="v7.3"), load_scenario(scenario))


@pytest.mark.parametrize("arch", STATES)
def test_everything_holds_in_so_many_states(arch: str) -> None:
    one, other, states = STATES[arch]
    for scenario, wanted in (("one", one), (other, states)):
        r = run(arch, scenario)
        assert (r.verdict, r.violated, r.states) == ("holds", [], wanted)


DEFAULT = {"mips": 553_723, "powerpc": 436_715, "s390": 1_591_608}


@pytest.mark.parametrize("arch", DEFAULT)
def test_everything_holds_in_so_many_states_of_the_default_scenario(arch: str) -> None:
    """v6.12 has 553,723, 443,971 and 1,673,170: mips is the same, the others test work later."""
    r = run(arch, "default")
    assert (r.verdict, r.states) == ("holds", DEFAULT[arch])


def test_riscv_is_laid_over_v7_2() -> None:
    functions = link(Choice("riscv", release="v7.3"), load_scenario("one")).functions
    assert functions["restore_csrs"].origin == "release:v7.2"
    assert functions["kvm_arch_vcpu_load"].origin == "release:v7.3"


def with_constant(arch: str, does: list[str], *names: str) -> Result:
    task = {"runs": "vcpu_thread", "vcpu": 0, "does": does}
    raw = {"cpus": 1, "vms": [0], "task": [task], "set": dict.fromkeys(names, 1)}
    return check(Choice(arch, release="v7.3"), make_scenario(names[0], raw))


@pytest.mark.parametrize("arch", ["arm64", "arm64-nv", "arm64-nvhe"])
def test_a_guest_that_locks_its_debug_registers(arch: str) -> None:
    assert with_constant(arch, ["run"], "guest_debugs").verdict == "holds"


def test_a_hint_that_is_missed_and_a_byte_that_is_right() -> None:
    """docs/findings/loongarch-preempt-hint.md"""
    r = with_constant("loongarch", ["run", "steal"], "guest_knows_preempt")
    assert set(r.violated) == {"PREEMPT-HINT"}


@pytest.mark.parametrize(("release", "states"), [("v7.3", 78_555), ("v6.12", 73_859)])
def test_a_vcpu_that_cedes_is_woken_by_one_that_prods_it(release: str, states: int) -> None:
    """kvmppc_cede(), H_PROD: a store, a barrier and a load on either side."""
    r = check(Choice("powerpc", release=release), load_scenario("prod"))
    assert (r.verdict, r.states) == ("holds", states)


def test_powerpc_marks_only_what_its_c_marks() -> None:
    """arch/powerpc/kvm/book3s_hv.c, v6.12 and v7.3: READ_ONCE() of thread_cpu is all."""
    plain = {"kvm_vcpu.cpu", "kvm_vcpu_arch.doorbell_request", "kvm_vcpu_arch.thread_cpu"}
    plain |= {"kvm_vcpu.irq_pending"}
    marked = {
        (name, op.place.var)
        for name, fn in link(Choice("powerpc"), load_scenario("doorbell")).functions.items()
        if fn.origin != "mainline"
        for block in fn.blocks
        for op in block.ops
        if isinstance(op, Load | Store) and op.place.var in plain and op.mark != "plain"
    }
    assert marked == {
        ("kvmppc_core_prepare_to_enter", "kvm_vcpu.irq_pending"),  # test_bit()
        ("kvmppc_fast_vcpu_kick_hv", "kvm_vcpu_arch.thread_cpu"),
    }


def test_fp_that_comes_back_at_a_switch_is_taken_for_the_threads_behind_the_guest() -> None:
    """docs/findings/powerpc-fp-reload.md; v6.1 and v6.12 have it too."""
    r = with_constant("powerpc", ["run"], "reloads_fp")
    assert set(r.violated) == {"HOST-RESTORED"}


@pytest.mark.parametrize(("release", "states"), [("v7.3", 106_050), ("v6.1.192", 84_280)])
def test_a_cpu_that_comes_back_gives_a_guestid_twice(release: str, states: int) -> None:
    """docs/findings/mips-guestid-hotplug.md"""
    tasks = [{"runs": "vcpu_thread", "vcpu": v, "does": ["run"], "cpus": [0]} for v in (0, 1)]
    constants = {"guest_maps": 1, "cpu_hotplug": 1, "preempt_model": 1, "timer_irqs": 0}
    raw = {"cpus": 2, "vms": [0, 1], "task": tasks, "set": constants | {"device_irq_cpus": 0}}
    r = check(Choice("mips", release=release), make_scenario("guestids", raw))
    assert ("TLB-FRESH" in r.violated, r.states) == (True, states)


@pytest.mark.parametrize("release", ["v6.1.192", "v6.12", "v7.3"])
def test_a_timer_that_is_set_by_sbi_is_lost_where_a_put_comes_before_the_entry(
    release: str,
) -> None:
    """docs/findings/riscv-sbi-timer.md"""
    task = {"runs": "vcpu_thread", "vcpu": 0, "does": ["run"]}
    constants = {"guest_sets_timer": 1, "guest_traps": 0, "guest_resets": 0}
    raw = {"cpus": 1, "vms": [0], "task": [task], "set": constants}
    r = check(Choice("riscv", release=release), make_scenario("timer", raw))
    assert set(r.violated) == {"GUEST-STATE-COHERENT", "MEMORY-FRESH"}


def test_vector_registers_of_the_guest_and_of_the_kernel() -> None:
    """docs/findings/riscv-kernel-vector.md"""
    assert with_constant("riscv", ["run"], "uses_vector").verdict == "holds"
    r = with_constant("riscv", ["run"], "uses_vector", "preemptive_vector")
    assert set(r.violated) == {"KERNEL-V"}


def test_fp_in_an_interrupt_on_loongarch() -> None:
    """docs/findings/loongarch-kernel-fpu.md"""
    r = with_constant("loongarch", ["run", "fs"], "kernel_fpu")
    assert set(r.violated) == {"HOST-RESTORED"}


@pytest.mark.parametrize("arch", ["arm64", "arm64-nvhe"])
def test_list_registers_are_folded_before_a_vm_is_halted(arch: str) -> None:
    """docs/findings/vgic-halt.md"""
    assert run(arch, "pause-irq").verdict == "holds"


@pytest.mark.parametrize(("pkvm", "found"), [(0, set()), (1, {"TLB-PRIVATE"})])
def test_two_vcpus_of_a_vm_under_pkvm(pkvm: int, found: set[str]) -> None:
    """docs/findings/pkvm-last-vcpu.md"""
    tasks = [{"runs": "vcpu_thread", "vcpu": v, "does": ["run"]} for v in (0, 1)]
    constants = {"pkvm": pkvm, "guest_resets": 0}
    raw = {"cpus": 1, "vms": [0, 0], "task": tasks, "set": constants}
    r = check(Choice("arm64-nvhe", release="v7.3"), make_scenario("pkvm", raw))
    assert set(r.violated) == found


def test_the_copy_of_a_vcpu_that_pkvm_runs() -> None:
    """Before it was there, pKVM had 1,709 states."""
    task = {"runs": "vcpu_thread", "vcpu": 0}
    raw = {"cpus": 1, "vms": [0], "task": [task], "set": {"pkvm": 1}}
    r = check(Choice("arm64-nvhe", release="v7.3"), make_scenario("pkvm", raw))
    assert (r.verdict, r.states) == ("holds", 2_114)


@pytest.mark.parametrize(
    ("switches", "found"), [(0, set()), (1, {"VPE-EXCLUSIVE", "VPE-RESIDENT"})]
)
def test_a_vpe_of_a_guest_hypervisor_whose_guest_runs(switches: int, found: set[str]) -> None:
    """docs/findings/vpe-reload-nested.md"""
    tasks = [{"runs": "vcpu_thread", "vcpu": v, "does": ["run"]} for v in (0, 1)]
    constants = {"gicv4": 1, "gicd_switches": switches, "guest_resets": 0}
    raw = {"cpus": 1, "vms": [0, 0], "task": tasks, "set": constants}
    r = check(Choice("arm64-nv", release="v7.3"), make_scenario("reload", raw))
    assert set(r.violated) == found


def test_a_nested_guest_has_a_vgic_of_its_own() -> None:
    """With its hypervisor's it had 71,158 states."""
    r = run("arm64-nv", "vgic")
    assert (r.verdict, r.states) == ("holds", 171_864)


def test_a_vncr_page_that_a_tlbi_unmaps_while_its_vcpu_is_put() -> None:
    tasks = [{"runs": "vcpu_thread", "vcpu": v, "does": ["run"], "cpus": [v]} for v in (0, 1)]
    constants = {"guest_vncr": 1, "guest_resets": 0, "timer_irqs": 0, "preempt_model": 1}
    raw = {"cpus": 2, "vms": [0, 0], "task": tasks, "set": constants}
    r = check(Choice("arm64-nv", release="v7.3"), make_scenario("vncr", raw))
    assert (r.verdict, r.violated, r.states) == ("holds", [], 551_017)


def test_a_twin_of_v7_2_is_refused() -> None:
    with pytest.raises(LoadputError, match=r"not written for release v7\.3") as e:
        link(
            Choice("riscv", release="v7.3", twin="riscv_skip_without_former"), load_scenario("one")
        )
    assert e.value.code == "LP0407"


@pytest.mark.parametrize(
    ("arch", "release", "told"),
    [("svm", "v7.3", True), ("mips", "v7.3", False), ("svm", "v6.12", False)],
)
def test_a_report_says_where_no_kernel_is_preempted_as_the_scenario_says(
    arch: str, release: str, told: bool
) -> None:
    """PREEMPT_VOLUNTARY is for those that have no PREEMPT_LAZY, which of these mips has not."""
    r = check(Choice(arch, release=release), load_scenario("pair"))
    assert r.absent == ([("preempt_model", 1)] if told else [])
    line = "no kernel     of v7.3 on svm has preempt_model = 1"
    assert (line in render_result(r)) == told

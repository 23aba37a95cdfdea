"""Every property can fail: each broken twin violates what it breaks, and what must fall with that.

A program that a property cannot tell from the right one is not checked by it. ``one`` is the
smallest scenario; a twin that needs more names the scenario that shows it.
"""

from __future__ import annotations

import pytest

from loadput.check.verdict import Result, check
from loadput.link.overlay import find_overlays, get_overlay
from loadput.link.program import Choice
from loadput.link.scenario import Scenario, load_scenario, make_scenario
from loadput.run.explore import Limits

# What else the observer sees go wrong where the twin's own property does. A word a twin.
ALSO = {
    "arm64_mode_without_barrier": "NO-LOST-INTERRUPT",
    "arm64_load_forgets_cpu": "GUEST-STATE-COHERENT MEMORY-FRESH",
    "arm64_put_keeps_cpu": "AT-MOST-ONE-CPU DIRECT-PAIR HOST-RESTORED LOADED-IMPLIES-RUNNING"
    " MEMORY-FRESH PUT-BEFORE-LOAD",
    "arm64_put_keeps_guest_fp": "MEMORY-FRESH",
    "arm64_put_keeps_vpe": "NO-LOST-WAKEUP",
    "arm64_reset_in_place": "MEMORY-FRESH",
    "arm64_reset_preemptible": "AT-MOST-ONE-CPU GUEST-STATE-COHERENT HOST-RESTORED MEMORY-FRESH"
    " PER-CPU-PINNED PUT-BEFORE-LOAD SCHED-IN-CONTEXT",
    "arm64_vmcr_not_saved": "BLOCK-READS-CURRENT",
    "avic_load_while_blocking": "KERNEL-WARN",
    "flags_never_cleared": "ASYMMETRY PREEMPTED-IFF-RUN PREEMPTED-IMPLIES-SOUT",
    "kgs_kept_at_vcpu_put": "GSL-RESET",
    "ldtr_saved_once": "HOST-RESTORED-AT-USER-LDT LDT-FRESH",
    "loongarch_exit_cpu": "GUEST-STATE-COHERENT MEMORY-FRESH",
    "loongarch_one_sided": "MEMORY-FRESH",
    "loongarch_put_keeps_fpen": "GUEST-STATE-COHERENT",
    "mips_exit_cpu": "MEMORY-FRESH",
    "mips_one_sided": "MEMORY-FRESH",
    "mips_put_keeps_cu1": "GUEST-STATE-COHERENT KERNEL-WARN",
    "mips_put_keeps_wired": "MEMORY-FRESH",
    "mode_set_after_request_test": "NO-LOST-INTERRUPT",
    "mode_without_barrier": "NO-LOST-INTERRUPT",
    "mode_left_in_guest": "IOCTL-CLEAN KICK-SENDS-IPI",
    "no_load_at_sched_in": "ENTRY-CONTEXT PLE-ONCE STEAL-BYTE",
    "notifier_kept": "AT-MOST-ONE-CPU LOADED-IMPLIES-RUNNING PREEMPTED-IFF-RUN"
    " PUT-BEFORE-LOAD WTR-SCOPE",
    "nv_l2_has_vgic_of_l1": "NO-LOST-WAKEUP",
    "nvhe_put_keeps_clean": "MEMORY-FRESH",
    "nvhe_put_keeps_hyp_vcpu": "GUEST-STATE-COHERENT MEMORY-FRESH",
    "nv_sout_kept": "NV-MMU-REF SOUT-AT-LOAD SOUT-AT-PUT VCPU-PUT-CLEAN",
    "offline_keeps_vmcs": "LIST-ADD VMCS-LISTED VMCS-ONE-CPU",
    # The kernel stops there: nothing comes after a switch to a task that still runs.
    "on_cpu_not_waited_for": "IN-RANGE",
    "pi_load_keeps_ndst": "NO-LOST-WAKEUP",
    # Its interrupt waits for the lock that it came between, for ever.
    "pi_lock_irqs_on": "ALL-BLOCKED",
    "ple_never": "SOUT-AT-LOAD",
    "powerpc_load_counts_nothing": "STEAL-IN-RUN-ONLY",
    "riscv_load_forgets_cpu": "GUEST-STATE-COHERENT MEMORY-FRESH",
    "riscv_load_keeps_timer": "MEMORY-FRESH",
    "riscv_reset_preemptible": "AT-MOST-ONE-CPU GUEST-STATE-COHERENT HOST-RESTORED MEMORY-FRESH"
    " PER-CPU-PINNED PUT-BEFORE-LOAD SCHED-IN-CONTEXT",
    "riscv_skip_without_former": "MEMORY-FRESH",
    "rq_lock_kept": "RQ-CURR",
    "s390_request_without_exit": "TLB-FRESH",
    "sched_in_true_at_vcpu_load": "PLE-ONCE",
    "sout_cleared_before_load": "PLE-ONCE",
    "vmload_late": "HOST-AREA-FRESH",
    "wakeup_in_put": "ALL-BLOCKED",
    "wants_to_run_kept": "IOCTL-CLEAN PREEMPTED-IFF-RUN",
}
# And what v7.3 has to go wrong with them that v6.12 has not.
ALSO_73 = {
    "arm64_put_keeps_cpu": "HOST-MDCR",
    "arm64_reset_preemptible": "HOST-MDCR",
    "avic_load_while_blocking": "GA-LOG-IFF-BLOCKING",
    "entry_with_irqs_on": "HOST-COUNTERS HOST-XSTATE",
    # docs/findings/riscv-csr-skip.md, without the twin too.
    "on_cpu_not_waited_for": "CSR-SKIP-TRUE GUEST-STATE-COHERENT MEMORY-FRESH",
}
# And what it has not: a vCPU that was preempted is on no wakeup list there, vmx_vcpu_pi_put().
LESS_73 = {"pi_lock_irqs_on": "ALL-BLOCKED"}
CASES = [(n, a) for n, v in find_overlays("twin").items() for a in (v.arch or "svm").split(",")]
MEMORY = [c for c in CASES if get_overlay("twin", c[0]).memory]
PLAIN = [c for c in CASES if c not in MEMORY]
# Their scenarios set nothing: they have a second CPU or thread, and that is what it takes.
COMPANY = [c for c in PLAIN if get_overlay("twin", c[0]).scenario in ("comes-back", "shared")]


def broken(name: str) -> set[str]:
    """The properties that the twin says it breaks."""
    return {p.strip().replace("_", "-") for p in get_overlay("twin", name).breaks.split(",")}


# Somebody on another CPU who kicks, no second vCPU, and a thread that stays, as riscv's skip of
# CSRs loses interrupts of one that moves: every state under tso in a second or two.
KICKED = {
    "title": "2 CPUs, a vCPU thread, interrupts for it",
    "cpus": 2,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "irq"], "cpus": [1]}],
    "set": {"preempt_model": 1},
}


def run(
    name: str,
    arch: str,
    scenario: str | Scenario,
    *,
    release: str = "v6.12",
    memory: str = "",
    limits: Limits | None = None,
) -> Result:
    v = get_overlay("twin", name)
    design = v.parent if v.parent in find_overlays("design") else ""
    choice = Choice(arch, design, v.release or release, name, memory=memory or v.memory or "sc")
    where = load_scenario(scenario) if isinstance(scenario, str) else scenario
    return check(choice, where, limits=limits)


@pytest.mark.parametrize(("name", "arch"), PLAIN)
def test_a_twin_violates_what_it_breaks(name: str, arch: str) -> None:
    r = run(name, arch, get_overlay("twin", name).scenario or "one")
    assert set(r.violated) == broken(name) | set(ALSO.get(name, "").split())
    for p in r.violated:
        assert len(r.find(p).counterexample) == r.find(p).depth


@pytest.mark.parametrize(
    ("name", "arch"), [c for c in PLAIN if not get_overlay("twin", c[0]).release]
)
def test_a_twin_violates_it_on_v7_3_too(name: str, arch: str) -> None:
    """What would bring v6.12's body back has a form for v7.3."""
    r = run(name, arch, get_overlay("twin", name).scenario or "one", release="v7.3")
    also = {*ALSO.get(name, "").split(), *ALSO_73.get(name, "").split()}
    assert set(r.violated) == (broken(name) | also) - set(LESS_73.get(name, "").split())


@pytest.mark.parametrize(("name", "arch"), COMPANY)
def test_a_twin_that_needs_company_holds_alone(name: str, arch: str) -> None:
    assert run(name, arch, "one").verdict == "holds"


@pytest.mark.parametrize(("name", "arch"), MEMORY)
def test_a_twin_of_the_memory_violates_what_it_breaks_and_what_must_fall_with_it(
    name: str, arch: str
) -> None:
    r = run(name, arch, make_scenario("kicked", KICKED))
    assert r.exploration.finished
    assert set(r.violated) == broken(name) | set(ALSO.get(name, "").split())


@pytest.mark.parametrize(("name", "arch"), MEMORY)
def test_a_twin_of_the_memory_is_found_in_the_default_scenario(name: str, arch: str) -> None:
    r = run(name, arch, "default", limits=Limits(stop_at_first=True))
    assert broken(name) <= set(r.violated) <= broken(name) | set(ALSO.get(name, "").split())


@pytest.mark.parametrize(("name", "arch"), MEMORY)
def test_a_twin_of_the_memory_is_none_where_stores_are_seen_at_once(name: str, arch: str) -> None:
    assert run(name, arch, make_scenario("kicked", KICKED), memory="sc").verdict == "holds"


@pytest.mark.parametrize(("name", "arch"), [("flags_never_cleared", "svm"), ("no_ibpb", "svm")])
def test_a_twin_is_found_among_all_properties_of_the_default_scenario(name: str, arch: str) -> None:
    r = run(name, arch, "default")
    assert broken(name) <= set(r.violated)
    assert r.find(sorted(broken(name))[0]).counterexample


def test_every_remark_here_is_about_a_twin() -> None:
    assert {*ALSO, *ALSO_73, *LESS_73} <= set(find_overlays("twin"))

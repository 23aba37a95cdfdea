"""Bugs that were written by hand, most of which no property named: each is found, fused or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from .handmade import Bug, judge

X86, RISCV, ARM64 = "arch/x86/x86.py", "arch/riscv/kvm/vcpu.py", "arch/arm64/kvm/arm.py"
KVM_MAIN = "mainline/virt/kvm/kvm_main.py"


def bug(
    name: str,
    arch: str,
    file: str,
    fn: str,
    *edits: tuple[str, str],
    finds: str,
    scenario: str = "one",
) -> Bug:
    return Bug(name, arch, file, fn, edits, frozenset(finds.split()), scenario)


BUGS = [
    bug(
        *("flush_before_mode", "riscv", RISCV, "kvm_arch_vcpu_ioctl_run"),
        ("        vcpu.mode = IN_GUEST_MODE\n        smp_mb__after_srcu_read_unlock()\n", ""),
        (
            "        kvm_riscv_vcpu_flush_interrupts(vcpu)\n",
            "        kvm_riscv_vcpu_flush_interrupts(vcpu)\n\n        vcpu.mode = IN_GUEST_MODE\n",
        ),
        finds="NO-LOST-INTERRUPT",
        scenario="default",
    ),
    *(
        bug(
            *("irqs_left_off", arch, X86, "vcpu_enter_guest"),
            (
                "    local_irq_disable()\n\n    local_irq_enable()\n    preempt_enable()\n",
                "    local_irq_disable()\n\n    preempt_enable()\n",
            ),
            finds="CONTEXT-BALANCED",
        )
        for arch in ("svm", "vmx")
    ),
    *(
        bug(
            *("bails_out_without_preempt_enable", arch, file, fn),
            (
                f"local_irq_enable()\n{pad}preempt_enable()\n{pad}{then}",
                f"local_irq_enable()\n{pad}{then}",
            ),
            finds="CONTEXT-BALANCED",
        )
        for arch, file, fn, pad, then in [
            ("svm", X86, "vcpu_enter_guest", " " * 8, "return 1"),
            ("vmx", X86, "vcpu_enter_guest", " " * 8, "return 1"),
            ("arm64", ARM64, "kvm_arch_vcpu_ioctl_run", " " * 12, "continue"),
            ("riscv", RISCV, "kvm_arch_vcpu_ioctl_run", " " * 12, "continue"),
        ]
    ),
    bug(
        *("preempt_enabled_twice", "svm", X86, "vcpu_enter_guest"),
        (
            "    preempt_enable()\n\n    return",
            "    preempt_enable()\n    preempt_enable()\n\n    return",
        ),
        finds="CONTEXT-BALANCED",
    ),
    bug(
        *("kick_keeps_its_cpu", "arm64", KVM_MAIN, "kvm_vcpu_kick"),
        ("    put_cpu()\n", ""),
        finds="CONTEXT-BALANCED",
    ),
    bug(
        *("switch_leaves_irqs_off", "powerpc", "mainline/kernel/sched/core.py", "__schedule"),
        ("        local_irq_enable()\n        fire_sched_in", "        fire_sched_in"),
        finds="CONTEXT-BALANCED",
    ),
    *(
        bug(
            *("ready_cleared_with_preempted", arch, KVM_MAIN, "kvm_sched_in"),
            (
                "    WRITE_ONCE(vcpu.preempted, False)\n    WRITE_ONCE(vcpu.ready, False)\n",
                "    if vcpu.preempted:\n        WRITE_ONCE(vcpu.ready, False)\n"
                "    WRITE_ONCE(vcpu.preempted, False)\n",
            ),
            finds="ASYMMETRY",
        )
        for arch in ("svm", "vmx", "arm64", "riscv", "loongarch", "s390")
    ),
    *(
        bug(
            *("wants_to_run_always", arch, KVM_MAIN, "kvm_vcpu_ioctl_run"),
            ("vcpu.wants_to_run = not vcpu.immediate_exit", "vcpu.wants_to_run = True"),
            finds="WTR-SCOPE",
        )
        for arch in ("svm", "mips", "s390")
    ),
    bug(
        *("halted_for_ever", "vmx", X86, "vcpu_block"),
        ("    vcpu.arch.halted = False\n", ""),
        finds="WAITS-NO-LONGER",
    ),
    bug(
        *("l1d_not_flushed", "vmx", X86, "kvm_arch_vcpu_load"),
        ("    vcpu.arch.l1tf_flush_l1d = True\n", ""),
        finds="L1D-FLUSHED",
    ),
    *(
        bug(
            *("pmu_not_asked", arch, X86, "kvm_arch_vcpu_load"),
            ("        kvm_make_request(KVM_REQ_PMU, vcpu)\n", ""),
            finds="PMU-CLEANED",
            scenario="pmu",
        )
        for arch in ("svm", "vmx")
    ),
    bug(
        *("msrs_before_preemption_is_off", "vmx", X86, "vcpu_enter_guest"),
        (
            "    preempt_disable()\n\n    kvm_x86_prepare_switch_to_guest(vcpu)\n",
            "    kvm_x86_prepare_switch_to_guest(vcpu)\n\n    preempt_disable()\n",
        ),
        finds="PER-CPU-PINNED",
    ),
    bug(
        *("load_without_get_cpu", "svm", KVM_MAIN, "vcpu_load"),
        ("    cpu = get_cpu()\n", "    cpu = smp_processor_id()\n"),
        ("    put_cpu()\n", ""),
        finds="PER-CPU-PINNED",
    ),
    bug(
        *(
            "accounting_with_preemption",
            "s390",
            "arch/s390/kvm/cputm.py",
            "enable_cpu_timer_accounting",
        ),
        ("    preempt_disable()\n", ""),
        ("    preempt_enable()\n", ""),
        finds="KERNEL-WARN",
    ),
]


@pytest.mark.parametrize("b", BUGS, ids=lambda b: f"{b.arch}-{b.name}")
def test_a_bug_that_nobody_named_is_found(b: Bug, tmp_path: Path) -> None:
    for fusing in (True, False):
        assert b.finds <= set(judge(b, tmp_path, fusing=fusing).violated)

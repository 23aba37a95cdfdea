"""What a thread of a story does, as what a program in user space can do: per function."""

from __future__ import annotations

from collections.abc import Sequence

from ..check.story import StoryStep

ACTORS = {
    *("vcpu_thread", "vmm_thread", "plain_thread", "cpuhp_thread", "mmu_notifier_thread"),
    *("irqfd_thread", "assignment_thread", "unmapper"),
}
"""Functions marked @task in the specification; the first of a stack that is in a system call."""

USER_WORK = ("user_mode_work",)

ENTRIES = {
    *("__svm_vcpu_run", "svm_vcpu_enter_exit", "vmx_vcpu_enter_exit", "__vmx_vcpu_run"),
    *("vcpu_enter_guest_irqs_off", "guest_runs", "__kvm_vcpu_run", "kvm_arm_vcpu_enter_exit"),
    *("__kvm_riscv_switch_to", "kvm_riscv_vcpu_enter_exit", "kvm_vz_vcpu_run", "sie64a"),
    *("kvm_enter_guest", "kvm_loongarch_enter_guest", "kvmppc_p9_enter_guest"),
}
"""Where the guest is entered: no place to wait, and behind them the guest runs."""

CHOOSERS = {"vcpu_thread", "vmm_thread", "plain_thread"}
"""Actors whose own text is user mode: what they do next is chosen there."""

SYSTEM_CALLS = {
    "kvm_vcpu_ioctl_run": "RUN",
    "kvm_arch_vcpu_ioctl_run": "RUN",
    "kvm_vcpu_ioctl_get_regs": "VCPU_IOCTL",
    "kvm_vm_ioctl_create_vcpu": "CREATE_VM",
    "kvm_destroy_vm": "DESTROY_VM",
    "modify_ldt": "MODIFY_LDT",
    "user_mode_work": "WRITE_REGISTERS",
    "kvm_unmap_gfn_range": "UNMAP",
    "kvm_offline_cpu": "HOTPLUG",
    "take_cpu_down": "HOTPLUG",
    "kvm_s390_sync_request": "UNMAP",
}
"""The specification's functions below an actor: what they are a part of."""

TOLD = {
    "NOTHING": "comes by itself",
    "RUN": "KVM_RUN",
    "RUN_WITHOUT_ENTRY": "KVM_RUN with a signal pending",
    "VCPU_IOCTL": "a vCPU ioctl that sets a register",
    "WRITE_REGISTERS": "writes a register of its own in user mode",
    "MODIFY_LDT": "modify_ldt(2)",
    "CREATE_VM": "makes a VM with one vCPU",
    "DESTROY_VM": "ends the VM",
    "UNMAP": "madvise(MADV_DONTNEED) on a page of the guest",
    "HOTPLUG": "takes a CPU offline and online",
    "SYSTEM_CALL": "a system call that does not concern KVM",
    "INTERRUPT": "sends the vCPU an interrupt",
}

_FOLLOWS, _USER, _HOPED = "follows", "forced by user space", "hoped for"
CAUSES = {
    "device_interrupt": (
        "INTERRUPT",
        _USER,
        "an interrupt for the vCPU, sent as a device sends it",
    ),
    "sysvec_call_function": ("NOTHING", _FOLLOWS, "the IPI of who waits for it"),
    "sysvec_call_function_single": ("NOTHING", _FOLLOWS, "the IPI of who waits for it"),
    "ack_kick": ("NOTHING", _FOLLOWS, "the IPI of who kicks"),
    "__local_hfence_gvma_all": ("NOTHING", _FOLLOWS, "the IPI of who flushes"),
    "mutex_unlock": ("NOTHING", _FOLLOWS, "the owner gives the mutex back"),
    "flush_context": ("NOTHING", _FOLLOWS, "the roll-over of who asks for a VMID"),
    "cpu_hotplug_threads": ("HOTPLUG", _USER, "the CPU is taken offline, and brought back"),
    "take_cpu_down": ("HOTPLUG", _FOLLOWS, "a part of taking the CPU offline"),
    "vmids_are_used_up": ("NOTHING", _HOPED, "start more VMs than the hardware has VMIDs"),
    "timer_interrupt": ("NOTHING", _HOPED, "the tick; a higher HZ makes it more likely"),
    "hart_is_suspended": ("NOTHING", _HOPED, "an idle state that loses the hart's registers"),
    "perf_event_ipi": ("NOTHING", _HOPED, "perf record -a on that CPU"),
    "softirq_uses_vector": ("NOTHING", _HOPED, "network traffic with a vector checksum or cipher"),
}
"""What makes an interrupt come: (what the conductor does, by what means, in words)."""


def act_of(steps: Sequence[StoryStep], number: int, context: str) -> str:
    """The system call that the thread of step ``number`` is in, or is about to make.

    What a step of its own actor's text alone is, the next step of the thread says.
    """
    for step in steps[number - 1 :]:
        if step.context != context or step.functions[0] not in ACTORS:
            continue
        for f in step.functions[1:]:
            if f in SYSTEM_CALLS:
                return SYSTEM_CALLS[f]
        if len(step.functions) > 1:
            return "SYSTEM_CALL"
        if step.functions[-1] in USER_WORK:
            return "WRITE_REGISTERS"
    return "SYSTEM_CALL"

"""Nothing orders the store of IN_GUEST_MODE before the look for interrupts.

Ours: kvm_arch_vcpu_ioctl_run() of v7.2 without smp_mb__after_srcu_read_unlock(), and
kvm_riscv_vcpu_flush_interrupts() without irqs_pending_lock, which orders the two as well.
"""

OVERLAY = Overlay(
    name="riscv_mode_without_barrier",
    parent="D",
    release="v7.3",
    arch="riscv",
    breaks="NO_LOST_INTERRUPT",
    memory="weak",
)

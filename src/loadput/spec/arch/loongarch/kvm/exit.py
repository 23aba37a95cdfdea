"""What to do about an exit.

Mirrors: arch/loongarch/kvm/exit.c, v6.12
"""

EXIT_INTERRUPT = 0
EXIT_FAULT = 1


# [New in arch:loongarch]
def kvm_emu_idle(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_emu_idle(), arch/loongarch/kvm/exit.c, v6.12"""
    if not kvm_arch_vcpu_runnable(vcpu):
        kvm_vcpu_halt(vcpu)


# [New in arch:loongarch]
def kvm_handle_fpu_disabled(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_handle_fpu_disabled(), arch/loongarch/kvm/exit.c, v6.12

    Omits: that a task which owns the FP registers makes KVM_RUN fail: KVM_RUN has lost them
    """
    kvm_own_fpu(vcpu)


# [New in arch:loongarch]
def kvm_handle_fault(vcpu: ptr[kvm_vcpu]) -> int:
    """Positive: enter again; 0: back to user space. What the guest did is free.

    Mirrors: kvm_handle_fault(), kvm_handle_gspr(), arch/loongarch/kvm/exit.c, v6.12
    Omits: a guest that does not use FP; page faults, IOCSR; hypercalls, where a PV
    IPI to another vCPU is a device's interrupt here; kvm_queue_exception(): what it queues is free
    where it is delivered
    """
    if not vcpu.arch.fpu_in_use:
        kvm_handle_fpu_disabled(vcpu)
        return RESUME_GUEST
    if vcpu.guest_halts and choose():
        kvm_emu_idle(vcpu)
        return RESUME_GUEST
    return RESUME_HOST

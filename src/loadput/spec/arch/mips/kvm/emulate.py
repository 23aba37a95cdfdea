"""What to do about an exit.

Mirrors: arch/mips/kvm/emulate.c, arch/mips/kvm/vz.c, v6.12
"""

EXCCODE_INT = 0
EXCCODE_GE = 1


# [New in arch:mips]
def kvm_mips_emul_wait(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_mips_emul_wait(), arch/mips/kvm/emulate.c, v6.12

    Omits: the guest's timer; KVM_EXIT_IRQ_WINDOW_OPEN, which only an exit for a coprocessor looks at
    """
    if not READ_ONCE(vcpu.irq_pending):
        kvm_vcpu_halt(vcpu)


# [New in arch:mips]
def kvm_vz_gpsi_cop0(vcpu: ptr[kvm_vcpu]):
    """A CP0 register is written for the guest, on the CPU.

    Mirrors: kvm_vz_gpsi_cop0() for MTC0, arch/mips/kvm/vz.c, v6.12
    Context: preemptible
    """
    with atomic:
        fresh(this_cpu(hw_gc0), vcpu)


# [New in arch:mips]
def kvm_trap_vz_handle_guest_exit(vcpu: ptr[kvm_vcpu]) -> int:
    """Positive: enter again; 0: back to user space. What the guest did is free.

    Mirrors: kvm_trap_vz_handle_guest_exit(), kvm_trap_vz_handle_cop_unusable(), arch/mips/kvm/vz.c,
    v6.12
    Omits: a guest that does not use FP; page faults, hypercalls
    """
    if not vcpu.arch.fpu_in_use:
        kvm_own_fpu(vcpu)
        return RESUME_GUEST
    if vcpu.guest_halts and choose():
        kvm_mips_emul_wait(vcpu)
        return RESUME_GUEST
    if choose():
        kvm_vz_gpsi_cop0(vcpu)
        return RESUME_GUEST
    return RESUME_HOST

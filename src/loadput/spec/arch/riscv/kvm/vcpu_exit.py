"""What to do about an exit.

Mirrors: arch/riscv/kvm/vcpu_exit.c, arch/riscv/kvm/vcpu_insn.c, v6.12
"""

EXIT_INTERRUPT = 0
EXIT_TRAP = 1


# [New in arch:riscv]
def kvm_riscv_vcpu_wfi(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_wfi(), arch/riscv/kvm/vcpu_insn.c, v6.12"""
    if not kvm_arch_vcpu_runnable(vcpu):
        kvm_vcpu_halt(vcpu)


# [New in arch:riscv]
def kvm_riscv_vcpu_trap_redirect(vcpu: ptr[kvm_vcpu]):
    """Give the trap to the guest: VSSTATUS, VSCAUSE, VSTVAL and VSEPC are written on this CPU, and
    every other copy is old.

    Mirrors: kvm_riscv_vcpu_trap_redirect(), arch/riscv/kvm/vcpu_exit.c, v6.12
    Context: preemptible
    """
    fresh(this_cpu(hw_vs_csr), vcpu)


# [New in arch:riscv]
def kvm_riscv_vcpu_exit(vcpu: ptr[kvm_vcpu], scause: upto[1]) -> int:
    """Positive: enter again; 0: back to user space. What the guest did is free.

    Mirrors: kvm_riscv_vcpu_exit(), arch/riscv/kvm/vcpu_exit.c; wfi_insn(), wrs_insn(),
    arch/riscv/kvm/vcpu_insn.c, v6.12
    """
    if scause == EXIT_INTERRUPT:
        return 1
    if vcpu.guest_halts and choose():
        kvm_riscv_vcpu_wfi(vcpu)
        return 1
    if vcpu.guest_spins and choose():
        kvm_vcpu_on_spin(vcpu, choose())
        return 1
    if guest_traps and choose():
        kvm_riscv_vcpu_trap_redirect(vcpu)
        return 1
    if guest_sets_timer and choose():
        kvm_riscv_vcpu_timer_next_event(vcpu)
        return 1
    return 0

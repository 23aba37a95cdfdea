"""Exits that write the CSRs of the CPU that they are handled on.

Mirrors: arch/riscv/kvm/vcpu_exit.c, arch/riscv/kvm/vcpu_sbi_fwft.c, v7.2
"""


# [Modified in release:v7.2]
def kvm_riscv_vcpu_trap_redirect(vcpu: ptr[kvm_vcpu]):
    """Give the trap to the guest: VSSTATUS, VSCAUSE, VSTVAL and VSEPC are written on this CPU;
    csr_dirty is not set.

    Mirrors: kvm_riscv_vcpu_trap_redirect(), arch/riscv/kvm/vcpu_exit.c, v7.2
    Context: preemptible
    Omits: that it is several writes; guest_context.sepc, which is in memory
    """
    with atomic:
        fresh(this_cpu(hw_vs_csr), vcpu)


# [New in release:v7.2]
def kvm_sbi_fwft_set(vcpu: ptr[kvm_vcpu]):
    """The guest sets a feature: first in memory, then on this CPU; csr_dirty is not set.

    Mirrors: kvm_sbi_fwft_set(), kvm_sbi_fwft_set_misaligned_delegation(),
    kvm_sbi_fwft_set_pointer_masking_pmlen(), arch/riscv/kvm/vcpu_sbi_fwft.c, v7.2
    Context: preemptible
    """
    fresh(vcpu.arch.cfg, vcpu)
    this_cpu_write(hw_vcpu_cfg, vcpu.arch.cfg)


# [Modified in release:v7.2]
def kvm_riscv_vcpu_exit(vcpu: ptr[kvm_vcpu], scause: upto[1]) -> int:
    """Positive: enter again; 0: back to user space. What the guest did is free.

    Mirrors: kvm_riscv_vcpu_exit(), arch/riscv/kvm/vcpu_exit.c; kvm_sbi_ext_fwft_handler(),
    arch/riscv/kvm/vcpu_sbi_fwft.c, v7.2; wfi_insn(), wrs_insn(), arch/riscv/kvm/vcpu_insn.c
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
    if config_changes and choose():
        kvm_sbi_fwft_set(vcpu)
        return 1
    return 0

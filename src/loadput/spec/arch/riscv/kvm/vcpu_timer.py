"""The guest's timer, where the host has Sstc: VSTIMECMP.

Mirrors: arch/riscv/kvm/vcpu_timer.c, v6.12
"""

# The guest sets its timer by SBI.
guest_sets_timer = False


# next_cycles: arch.timer.next_cycles.
class kvm_vcpu_arch(struct):
    next_cycles: token[vstimecmp, vcpu] = own


hw_vstimecmp: per_cpu[token[vstimecmp, vcpu]]


# [New in arch:riscv]
def kvm_riscv_vcpu_timer_restore(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_timer_restore(), arch/riscv/kvm/vcpu_timer.c, v6.12

    Omits: HTIMEDELTA; the host's timer that waits in its place while it is out, and kicks
    """
    __this_cpu_write(hw_vstimecmp, vcpu.arch.next_cycles)


# [New in arch:riscv]
def kvm_riscv_vcpu_timer_sync(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_timer_sync(), arch/riscv/kvm/vcpu_timer.c, v6.12; Context: IRQs off"""
    vcpu.arch.next_cycles = __this_cpu_read(hw_vstimecmp)


# [New in arch:riscv]
def kvm_riscv_vcpu_timer_save(vcpu: ptr[kvm_vcpu]):
    """VSTIMECMP is saved at each exit, and not here.

    Mirrors: kvm_riscv_vcpu_timer_save(), arch/riscv/kvm/vcpu_timer.c, v6.12
    Omits: the host's timer for a vCPU that blocks
    """
    pass


# [New in arch:riscv]
def kvm_riscv_vcpu_timer_next_event(vcpu: ptr[kvm_vcpu]):
    """The guest sets its timer by SBI: this CPU has it, and not next_cycles.

    Mirrors: kvm_riscv_vcpu_timer_next_event(), kvm_riscv_vcpu_update_vstimecmp(),
    arch/riscv/kvm/vcpu_timer.c; kvm_sbi_ext_time_handler(), arch/riscv/kvm/vcpu_sbi_replace.c, v6.12
    Context: preemptible
    Omits: a host without Sstc, which keeps next_cycles and starts a timer of its own
    """
    with atomic:
        fresh(this_cpu(hw_vstimecmp), vcpu)

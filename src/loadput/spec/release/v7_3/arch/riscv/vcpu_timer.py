"""A put stops the guest's timer on the CPU.

Mirrors: arch/riscv/kvm/vcpu_timer.c, v7.3
"""


# [Modified in release:v7.3]
def kvm_riscv_vcpu_timer_save(vcpu: ptr[kvm_vcpu]):
    """VSTIMECMP is saved at each exit, and not here; nobody's timer is left.

    Mirrors: kvm_riscv_vcpu_timer_save(), arch/riscv/kvm/vcpu_timer.c, v7.3
    Omits: the host's timer for a vCPU that blocks
    """
    __this_cpu_write(hw_vstimecmp, 0)

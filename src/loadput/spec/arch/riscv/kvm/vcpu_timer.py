"""Timer registers: where they are restored.

Mirrors: arch/riscv/kvm/vcpu_timer.c, v6.12
"""


# [New in arch:riscv]
def kvm_riscv_vcpu_timer_restore(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_timer_restore(), arch/riscv/kvm/vcpu_timer.c, v6.12

    Omits: HTIMEDELTA, VSTIMECMP; the host's timer that waits in its place while it is out, and kicks
    """
    pass

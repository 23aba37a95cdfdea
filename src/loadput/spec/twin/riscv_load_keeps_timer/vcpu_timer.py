# [Modified in twin:riscv_load_keeps_timer]
def kvm_riscv_vcpu_timer_restore(vcpu: ptr[kvm_vcpu]):
    """VSTIMECMP is not restored."""
    pass

config_changes = True


# [Modified in twin:riscv_debug_without_dirty]
def kvm_riscv_vcpu_config_guest_debug(vcpu: ptr[kvm_vcpu]):
    """csr_dirty stays."""
    fresh(vcpu.arch.cfg, vcpu)

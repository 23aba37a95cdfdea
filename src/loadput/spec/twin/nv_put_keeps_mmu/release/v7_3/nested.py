# [Modified in twin:nv_put_keeps_mmu]
def kvm_vcpu_put_hw_mmu(vcpu: ptr[kvm_vcpu]):
    """The vCPU goes on with what it has."""
    this_cpu_reset_vncr_fixmap(vcpu)

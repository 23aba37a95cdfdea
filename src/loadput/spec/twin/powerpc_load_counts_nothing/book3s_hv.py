# [Modified in twin:powerpc_load_counts_nothing]
def kvmppc_core_vcpu_load_hv(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As kvmppc_core_vcpu_load_hv(), arch/powerpc/kvm/book3s_hv.c, without adding it up."""
    pass

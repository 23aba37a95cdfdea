# [Modified in twin:powerpc_woken_without_prodded]
def kvmppc_vcpu_woken(vcpu: ptr[kvm_vcpu]) -> bool:
    """As kvmppc_vcpu_woken(), arch/powerpc/kvm/book3s_hv.c, without prodded."""
    return vcpu.irq_pending or kvmppc_doorbell_pending(vcpu)

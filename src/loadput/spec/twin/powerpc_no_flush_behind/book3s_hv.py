# [Modified in twin:powerpc_no_flush_behind]
def kvmppc_prepare_radix_vcpu(vcpu: ptr[kvm_vcpu], pcpu: cpu):
    """As kvmppc_prepare_radix_vcpu(), arch/powerpc/kvm/book3s_hv.c, without need_tlb_flush."""
    if not guest_maps:
        return
    vcpu.arch.prev_cpu = pcpu

# [Modified in twin:powerpc_entry_forgets_cpu]
def kvmppc_set_vcpu_cpu(vcpu: ptr[kvm_vcpu], pcpu: cpu):
    """As kvmhv_run_single_vcpu(), arch/powerpc/kvm/book3s_hv.c, without thread_cpu."""
    vcpu.cpu = pcpu
    smp_mb()

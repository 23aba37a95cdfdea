"""arch/powerpc/kvm/book3s_hv.c, as it was."""


# [New in museum:ppc-smt8-tlb]
def cpu_first_thread_sibling(cpu: cpu) -> cpu:
    """The CPUs are threads of one SMT8 core, which has a TLB for the even and one for the odd."""
    return 0


# [Modified in museum:ppc-smt8-tlb]
def kvmppc_prepare_radix_vcpu(vcpu: ptr[kvm_vcpu], pcpu: cpu):
    """Where the core is another."""
    if not guest_maps:
        return
    prev_cpu = vcpu.arch.prev_cpu
    if prev_cpu != pcpu:
        if prev_cpu >= 0 and cpu_first_thread_sibling(prev_cpu) != cpu_first_thread_sibling(pcpu):
            WRITE_ONCE(per_cpu(need_tlb_flush, prev_cpu), True)
        vcpu.arch.prev_cpu = pcpu

"""arch/powerpc/kvm/book3s_hv.c, as it was."""


# [Modified in museum:ppc-lost-kick]
def kvmppc_set_vcpu_cpu(vcpu: ptr[kvm_vcpu], pcpu: cpu):
    """Not yet."""
    pass


# [Modified in museum:ppc-lost-kick]
def kvmhv_vcpu_entry_p9(vcpu: ptr[kvm_vcpu]):
    """The tests for interrupts and doorbells come first."""
    if kvmppc_doorbell_pending(vcpu):
        vcpu.arch.doorbell_request = False

    vcpu.cpu = smp_processor_id()
    vcpu.arch.thread_cpu = smp_processor_id()

    with atomic:
        this_cpu_write(hw_guest_fp, vcpu.arch.fp)
        check_need_tlb_flush(vcpu)
        guest_runs(vcpu)
        vcpu.arch.fp = this_cpu_read(hw_guest_fp)
        this_cpu_write(hw_guest_fp, 0)

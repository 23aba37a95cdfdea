# [Modified in twin:powerpc_exit_keeps_cpu]
def kvmppc_leave_guest(vcpu: ptr[kvm_vcpu]):
    """As kvmhv_run_single_vcpu(), arch/powerpc/kvm/book3s_hv.c, without thread_cpu."""
    vcpu.cpu = -1
    vcpu.arch.state = KVMPPC_VCPU_BUSY_IN_HOST
    take_ipis()
    local_irq_enable()
    preempt_enable()

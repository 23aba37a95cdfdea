# [Modified in twin:s390_load_forgets_cpu]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As kvm_arch_vcpu_load(), arch/s390/kvm/s390/s390.c, without the store of vcpu->cpu."""
    xchg(vcpu.arch.sie_block.running, True)
    if vcpu.arch.cputm_enabled and not is_vcpu_idle(vcpu):
        __start_cpu_timer_accounting(vcpu)

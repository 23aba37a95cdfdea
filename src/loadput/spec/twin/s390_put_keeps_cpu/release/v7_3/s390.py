# [Modified in twin:s390_put_keeps_cpu]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As kvm_arch_vcpu_put(), arch/s390/kvm/s390/s390.c, without the store of vcpu->cpu."""
    if vcpu.arch.cputm_enabled and not is_vcpu_idle(vcpu):
        __stop_cpu_timer_accounting(vcpu)
    xchg(vcpu.arch.sie_block.running, False)

# [Modified in twin:s390_put_keeps_running]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As kvm_arch_vcpu_put(), arch/s390/kvm/s390/s390.c, without clearing CPUSTAT_RUNNING."""
    vcpu.cpu = -1
    if vcpu.arch.cputm_enabled and not is_vcpu_idle(vcpu):
        __stop_cpu_timer_accounting(vcpu)

# [Modified in twin:s390_put_keeps_no_gmap]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As kvm_arch_vcpu_put(), arch/s390/kvm/kvm-s390.c, with its last two statements swapped."""
    vcpu.cpu = -1
    if vcpu.arch.cputm_enabled and not is_vcpu_idle(vcpu):
        __stop_cpu_timer_accounting(vcpu)
    xchg(vcpu.arch.sie_block.running, False)
    gmap_disable(vcpu.arch.enabled_gmap)
    vcpu.arch.enabled_gmap = gmap_get_enabled()

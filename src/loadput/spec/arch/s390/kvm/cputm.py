"""The guest's CPU timer: SIE counts it while the guest runs, the host while the vCPU is loaded.

Mirrors: arch/s390/kvm/kvm-s390.c, v6.12; Omits: the sequence counter, the value
"""


# [New in arch:s390]
def __start_cpu_timer_accounting(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __start_cpu_timer_accounting(), arch/s390/kvm/kvm-s390.c, v6.12"""
    WARN_ON(vcpu.arch.cputm_start)
    vcpu.arch.cputm_start = True


# [New in arch:s390]
def __stop_cpu_timer_accounting(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __stop_cpu_timer_accounting(), arch/s390/kvm/kvm-s390.c, v6.12"""
    WARN_ON(not vcpu.arch.cputm_start)
    vcpu.arch.cputm_start = False


# [New in arch:s390]
def __enable_cpu_timer_accounting(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __enable_cpu_timer_accounting(), arch/s390/kvm/kvm-s390.c, v6.12"""
    WARN_ON(vcpu.arch.cputm_enabled)
    vcpu.arch.cputm_enabled = True
    __start_cpu_timer_accounting(vcpu)


# [New in arch:s390]
def __disable_cpu_timer_accounting(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __disable_cpu_timer_accounting(), arch/s390/kvm/kvm-s390.c, v6.12"""
    WARN_ON(not vcpu.arch.cputm_enabled)
    __stop_cpu_timer_accounting(vcpu)
    vcpu.arch.cputm_enabled = False


# [New in arch:s390]
def enable_cpu_timer_accounting(vcpu: ptr[kvm_vcpu]):
    """Mirrors: enable_cpu_timer_accounting(), arch/s390/kvm/kvm-s390.c, v6.12"""
    preempt_disable()
    __enable_cpu_timer_accounting(vcpu)
    preempt_enable()


# [New in arch:s390]
def disable_cpu_timer_accounting(vcpu: ptr[kvm_vcpu]):
    """Mirrors: disable_cpu_timer_accounting(), arch/s390/kvm/kvm-s390.c, v6.12"""
    preempt_disable()
    __disable_cpu_timer_accounting(vcpu)
    preempt_enable()

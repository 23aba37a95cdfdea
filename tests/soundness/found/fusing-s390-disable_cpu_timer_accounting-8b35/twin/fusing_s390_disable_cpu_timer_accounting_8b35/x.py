"""Drawn: move."""


# [Modified in twin:fusing_s390_disable_cpu_timer_accounting_8b35]
def disable_cpu_timer_accounting(vcpu: ptr[kvm_vcpu]):
    preempt_disable()
    preempt_enable()
    __disable_cpu_timer_accounting(vcpu)

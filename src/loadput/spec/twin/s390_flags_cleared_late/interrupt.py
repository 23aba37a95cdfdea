# [Modified in twin:s390_flags_cleared_late]
def kvm_s390_deliver_pending_interrupts(vcpu: ptr[kvm_vcpu]):
    """As kvm_s390_deliver_pending_interrupts(), arch/s390/kvm/interrupt.c, the other way round."""
    if READ_ONCE(vcpu.irq_pending):
        vcpu.irq_pending = False
    if gisa and READ_ONCE(vcpu.kvm.gisa_ipm):
        gisa_tac_ipm_gisc(vcpu.kvm)

    __reset_intercept_indicators(vcpu)

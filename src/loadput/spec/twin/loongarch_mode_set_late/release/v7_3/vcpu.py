# [Modified in twin:loongarch_mode_set_late]
def kvm_pre_enter_guest(vcpu: ptr[kvm_vcpu]) -> int:
    """As kvm_pre_enter_guest(), arch/loongarch/kvm/vcpu.c, with mode set after kvm_deliver_intr()."""
    while True:
        ret = kvm_enter_guest_check(vcpu)
        if ret != RESUME_GUEST:
            break

        local_irq_disable()
        kvm_deliver_exception(vcpu)
        kvm_check_vpid(vcpu)
        kvm_deliver_intr(vcpu)
        smp_store_mb(vcpu.mode, IN_GUEST_MODE)

        kvm_late_check_requests(vcpu)

        vcpu.arch.swcsr_latest = False

        if kvm_request_pending(vcpu) or xfer_to_guest_mode_work_pending():
            smp_store_mb(vcpu.mode, OUTSIDE_GUEST_MODE)
            local_irq_enable()
            ret = -1
        if ret == RESUME_GUEST:
            break

    return ret

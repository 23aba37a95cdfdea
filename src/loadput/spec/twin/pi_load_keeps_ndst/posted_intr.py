# [Modified in twin:pi_load_keeps_ndst]
def vmx_vcpu_pi_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """NDST stays."""
    vmx = to_vmx(vcpu)
    pi = addr(vmx.pi_desc)

    if not enable_apicv:
        return

    if pi.nv != POSTED_INTR_WAKEUP_VECTOR and vcpu.cpu == cpu:
        if not pi_test_and_clear_sn(pi):
            return
    else:
        local_irq_save(flags)

        if pi.nv == POSTED_INTR_WAKEUP_VECTOR:
            lock_wakeup_list(vcpu.cpu)
            del_wakeup_list(vmx, vcpu.cpu)
            unlock_wakeup_list(vcpu.cpu)

        with atomic:
            pi.sn = False
            pi.nv = POSTED_INTR_VECTOR

        local_irq_restore(flags)

    smp_mb__after_atomic()

    if not pi_is_pir_empty(pi):
        pi_set_on(pi)

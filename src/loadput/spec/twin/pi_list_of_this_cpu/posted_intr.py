# [Modified in twin:pi_list_of_this_cpu]
def vmx_vcpu_pi_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Off the list of the CPU that it comes to."""
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
            lock_wakeup_list(cpu)
            del_wakeup_list(vmx, cpu)
            unlock_wakeup_list(cpu)

        with atomic:
            pi.ndst = cpu
            pi.sn = False
            pi.nv = POSTED_INTR_VECTOR

        local_irq_restore(flags)

    smp_mb__after_atomic()

    if not pi_is_pir_empty(pi):
        pi_set_on(pi)

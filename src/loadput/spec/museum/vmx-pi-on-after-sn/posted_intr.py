"""arch/x86/kvm/vmx/posted_intr.c, as it was."""


# [Modified in museum:vmx-pi-on-after-sn]
def vmx_vcpu_pi_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """What was posted while SN was set shows in PIR only."""
    vmx = to_vmx(vcpu)
    pi = addr(vmx.pi_desc)

    if not enable_apicv:
        return

    if pi.nv != POSTED_INTR_WAKEUP_VECTOR and vcpu.cpu == cpu:
        pi_test_and_clear_sn(pi)
    else:
        local_irq_save(flags)

        if pi.nv == POSTED_INTR_WAKEUP_VECTOR:
            lock_wakeup_list(vcpu.cpu)
            del_wakeup_list(vmx, vcpu.cpu)
            unlock_wakeup_list(vcpu.cpu)

        with atomic:
            pi.ndst = cpu
            pi.sn = False
            pi.nv = POSTED_INTR_VECTOR

        local_irq_restore(flags)

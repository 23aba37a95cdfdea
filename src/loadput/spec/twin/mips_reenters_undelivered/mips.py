"""arch/mips/kvm/mips.c, broken."""


# [Modified in twin:mips_reenters_undelivered]
def kvm_mips_handle_exit(vcpu: ptr[kvm_vcpu], exccode: upto[1]) -> int:
    """As kvm_mips_handle_exit(), without kvm_mips_deliver_interrupts()."""
    guest_state_exit_irqoff()
    vcpu.mode = OUTSIDE_GUEST_MODE

    local_irq_enable()

    if exccode == EXCCODE_INT:
        cond_resched()
        ret = RESUME_GUEST
    else:
        ret = kvm_trap_vz_handle_guest_exit(vcpu)

    local_irq_disable()

    if ret == RESUME_GUEST:
        if signal_pending(current):
            ret = RESUME_HOST

    if ret == RESUME_GUEST:
        smp_store_mb(vcpu.mode, IN_GUEST_MODE)
        kvm_vz_vcpu_reenter(vcpu)
        guest_state_enter_irqoff()

    return ret

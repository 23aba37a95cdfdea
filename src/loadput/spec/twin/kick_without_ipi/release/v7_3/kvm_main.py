"""virt/kvm/kvm_main.c of v7.3, broken."""


# [Modified in twin:kick_without_ipi]
def kvm_vcpu_kick(vcpu: ptr[kvm_vcpu]):
    """As v7.3 has it."""
    __kvm_vcpu_kick(vcpu, False)


# [Modified in twin:kick_without_ipi]
def __kvm_vcpu_kick(vcpu: ptr[kvm_vcpu], wait: bool):
    """As __kvm_vcpu_kick(), without smp_send_reschedule()."""
    if kvm_vcpu_wake_up(vcpu):
        return

    me = get_cpu()
    if vcpu == __this_cpu_read(kvm_running_vcpu):
        if vcpu.mode == IN_GUEST_MODE:
            WRITE_ONCE(vcpu.mode, EXITING_GUEST_MODE)
    else:
        kvm_arch_vcpu_should_kick(vcpu)
    put_cpu()

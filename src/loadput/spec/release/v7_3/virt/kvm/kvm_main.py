"""The common path where v7.3 differs: the kick has a form that waits; one pass of directed yield.

Mirrors: virt/kvm/kvm_main.c, v7.3
"""


# [Modified in release:v7.3]
def kvm_vcpu_kick(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_kick(), include/linux/kvm_host.h, v7.3"""
    __kvm_vcpu_kick(vcpu, False)


# [New in release:v7.3]
def __kvm_vcpu_kick(vcpu: ptr[kvm_vcpu], wait: bool):
    """Kick a sleeping VCPU, or a guest VCPU in guest mode, into host kernel mode.

    Mirrors: __kvm_vcpu_kick(), virt/kvm/kvm_main.c, v7.3
    Omits: wait, with which only SEV-SNP's requests come: ack_kick() on the other CPU
    """
    if kvm_vcpu_wake_up(vcpu):
        return

    me = get_cpu()
    if vcpu == __this_cpu_read(kvm_running_vcpu):
        if vcpu.mode == IN_GUEST_MODE:
            WRITE_ONCE(vcpu.mode, EXITING_GUEST_MODE)
    elif kvm_arch_vcpu_should_kick(vcpu):
        cpu = READ_ONCE(vcpu.cpu)
        if cpu != me and cpu >= 0 and cpu_online(cpu):
            smp_send_reschedule(cpu)
    put_cpu()


# [Modified in release:v7.3]
def kvm_vcpu_on_spin(me: ptr[kvm_vcpu], yield_to_kernel_mode: bool):
    """A vCPU spins: give its time to one that was preempted or woken and has not run yet.

    Mirrors: kvm_vcpu_on_spin(), virt/kvm/kvm_main.c, v7.3
    Omits: where the scan starts (last_boosted_vcpu): it looks at the vCPUs in any order and stops at
    any point; spin_loop eligibility is free; that with one vCPU there is nobody to look at; a yield
    that succeeds ends it
    """
    for vcpu in each(kvm_vcpu):
        if vcpu == me:
            continue
        if not READ_ONCE(vcpu.ready):
            continue
        if kvm_vcpu_is_blocking(vcpu) and not vcpu_dy_runnable(vcpu):
            continue
        if (
            READ_ONCE(vcpu.preempted)
            and yield_to_kernel_mode
            and not kvm_arch_dy_has_pending_interrupt(vcpu)
            and not kvm_arch_vcpu_preempted_in_kernel(vcpu)
        ):
            continue
        if kvm_vcpu_yield_to(vcpu) > 0:
            break

"""What holds of every register: that of a task, of a vCPU, of a VM. `docs/language.md` says what
counts as one; whose it is says its token.
"""


@property_(
    source="kernel/sched/core.c context_switch(), kernel/entry/common.c exit_to_user_mode_prepare(), v6.12",
    twin="no_vmsave",
    replaces="HOST_RESTORED_AT_USER, HOST_RESTORED_AT_USER_KGS, HOST_RESTORED_BEFORE_SWITCH,"
    " HOST_RESTORED_BEFORE_SWITCH_KGS",
)
@at_entry(__switch_to)
@at_exit(arch_exit_to_user_mode_prepare)
def HOST_RESTORED(entry: bool) -> bool:
    """A task that returns to user mode finds its own registers there as it left them, or its next use
    of one traps and loads it; where the CPU switches to another task, the CPU has them or memory.
    """
    if entry:
        return current.is_idle or registers_kept(current) or kvm_keeps_registers(current)
    return registers_found(current)


@property_(
    source="kvm_arch_vcpu_load(), kvm_arch_vcpu_put(), arch/*/kvm, v6.12",
    twin="arm64_reset_in_place",
    replaces="GUEST_CONFIG, GUEST_HGATP, TSC_RATIO",
)
@at_entry(guest_runs)
@at_entry(svm_vcpu_enter_exit)
@at_entry(vmx_vcpu_enter_exit)
def GUEST_STATE_COHERENT(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest finds its own registers and its VM's on the CPU, with the values they have now, or its
    next use of one traps and loads it.
    """
    return registers_found(vcpu) and registers_found(vcpu.kvm)


@property_(
    source="kvm_arch_vcpu_put(), arch/*/kvm; virt/kvm/kvm_main.c kvm_vcpu_ioctl(), v6.12: vcpu->mutex",
    twin="powerpc_exit_stores_nothing",
)
@at_exit(kvm_arch_vcpu_put)
@at_exit(kvm_vcpu_ioctl_run)
@at_exit(kvm_vcpu_ioctl_get_regs)
def MEMORY_FRESH(vcpu: ptr[kvm_vcpu]) -> bool:
    """Whoever gets a vCPU next, another CPU after a put or another thread after an ioctl, finds in
    memory the newest values of its registers; but what the switch of tasks takes along, after an
    ioctl only. What KVM puts to load it again at once finds them there or on the CPU.
    """
    if vcpu.mutex_owner != NULL and vcpu.mutex_owner != current:
        # Another thread has taken it since, and may have loaded it.
        return True
    if loads_again_here(vcpu):
        return registers_kept(vcpu)
    if current.vcpu_open == vcpu:
        return registers_put(vcpu)
    return registers_saved(vcpu)

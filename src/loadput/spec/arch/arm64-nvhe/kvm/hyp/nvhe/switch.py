"""World switch without VHE: all of it at every entry and exit, at EL2, where nothing interrupts.

Mirrors: arch/arm64/kvm/hyp/nvhe/switch.c, arch/arm64/kvm/hyp/nvhe/sysreg-sr.c, v6.12
Omits: debug registers, timers, the vgic's list registers, pointer authentication, protected VMs
"""


# [New in arch:arm64-nvhe]
def __sysreg_save_host_state():
    """The host's registers, of which only TPIDR_EL0 is here, go to this CPU's host context.

    Mirrors: __sysreg_save_state_nvhe() of the host's context, arch/arm64/kvm/hyp/nvhe/sysreg-sr.c,
    v6.12
    """
    __this_cpu_write(host_ctxt_tpidr, __this_cpu_read(hw_tpidr))
    __this_cpu_write(hw_tpidr, 0)


# [New in arch:arm64-nvhe]
def __sysreg_restore_host_state():
    """Mirrors: __sysreg_restore_state_nvhe() of the host's context,
    arch/arm64/kvm/hyp/nvhe/sysreg-sr.c, v6.12
    """
    __this_cpu_write(hw_tpidr, __this_cpu_read(host_ctxt_tpidr))
    __this_cpu_write(host_ctxt_tpidr, 0)


# [New in arch:arm64-nvhe]
def __sysreg_restore_state_nvhe(ctxt: ptr[kvm_cpu_context]):
    """Mirrors: __sysreg_restore_state_nvhe(), arch/arm64/kvm/hyp/nvhe/sysreg-sr.c, v6.12"""
    __this_cpu_write(hw_el1, ctxt.sys_regs)


# [New in arch:arm64-nvhe]
def __sysreg_save_state_nvhe(ctxt: ptr[kvm_cpu_context]):
    """Mirrors: __sysreg_save_state_nvhe(), arch/arm64/kvm/hyp/nvhe/sysreg-sr.c, v6.12

    What stays in the registers is overwritten with the host's own; it is forgotten.
    """
    ctxt.sys_regs = __this_cpu_read(hw_el1)
    __this_cpu_write(hw_el1, 0)


# [New in arch:arm64-nvhe]
def __load_host_stage2():
    """Mirrors: __load_host_stage2(), arch/arm64/kvm/hyp/include/nvhe/mem_protect.h, v6.12"""
    __this_cpu_write(hw_vttbr, 0)


# [Modified in arch:arm64-nvhe]
def __kvm_vcpu_run(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Switch everything to the guest, enter it, and switch everything back.

    Mirrors: __kvm_vcpu_run(), arch/arm64/kvm/hyp/nvhe/switch.c, v6.12
    Context: at EL2 with IRQs off: one step
    """
    with atomic:
        __sysreg_save_host_state()
        __debug_save_host_buffers_nvhe(vcpu)

        __kvm_adjust_pc(vcpu)

        __sysreg_restore_state_nvhe(addr(vcpu.arch.ctxt))
        __load_stage2(addr(vcpu.kvm.arch.mmu))
        __activate_traps_common(vcpu)

        if __this_cpu_read(fp_owner) != FP_STATE_GUEST_OWNED:
            kvm_hyp_handle_fpsimd(vcpu)
        guest_runs(vcpu)

        __sysreg_save_state_nvhe(addr(vcpu.arch.ctxt))
        __deactivate_traps_common(vcpu)
        __load_host_stage2()

        __sysreg_restore_host_state()
        __debug_restore_host_buffers_nvhe(vcpu)
    return choose(ARM_EXCEPTION_IRQ, ARM_EXCEPTION_TRAP)

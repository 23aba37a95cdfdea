"""World switch without VHE: also the GIC's state; SPE by what the CPU has, not by a vCPU's flag.

Mirrors: arch/arm64/kvm/hyp/nvhe/switch.c, arch/arm64/kvm/hyp/nvhe/debug-sr.c, v7.3; SPE stands for
TRBE and BRBE too, whose flags in struct kvm_host_data change with preemption off, and not at EL2
"""


# [New in release:v7.3]
def __hyp_vgic_save_state(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __hyp_vgic_save_state(), arch/arm64/kvm/hyp/nvhe/switch.c, v7.3"""
    __vgic_v3_save_state(addr(vcpu.arch.vgic_cpu.vgic_v3))


# [Modified in release:v7.3]
def __debug_save_host_buffers_nvhe(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __debug_save_host_buffers_nvhe(), __debug_save_spe(),
    arch/arm64/kvm/hyp/nvhe/debug-sr.c; kvm_init_host_debug_data(), arch/arm64/kvm/debug.c, v7.3

    HAS_SPE is set when the CPU comes online. The host profiles all the time on a CPU that can.
    """
    if cpu_has_spe(smp_processor_id()):
        this_cpu_write(hw_spe_stopped, True)


# [Modified in release:v7.3]
def __debug_restore_host_buffers_nvhe(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __debug_restore_host_buffers_nvhe(), __debug_restore_spe(),
    arch/arm64/kvm/hyp/nvhe/debug-sr.c, v7.3
    """
    if cpu_has_spe(smp_processor_id()):
        this_cpu_write(hw_spe_stopped, False)


# [New in release:v7.3]
def restore_guest_ctxt(vcpu: ptr[kvm_vcpu]):
    """Ours: __sysreg_restore_state_nvhe() of the guest's context; under pKVM of the hypervisor's copy."""
    if is_protected_kvm_enabled():
        __this_cpu_write(hw_el1, hyp_sys_regs[vcpu - 1])
    else:
        __sysreg_restore_state_nvhe(addr(vcpu.arch.ctxt))


# [New in release:v7.3]
def save_guest_ctxt(vcpu: ptr[kvm_vcpu]):
    """Ours: __sysreg_save_state_nvhe() of the guest's context; under pKVM of the hypervisor's copy."""
    if is_protected_kvm_enabled():
        hyp_sys_regs[vcpu - 1] = __this_cpu_read(hw_el1)
        __this_cpu_write(hw_el1, 0)
    else:
        __sysreg_save_state_nvhe(addr(vcpu.arch.ctxt))


# [Modified in release:v7.3]
def __kvm_vcpu_run(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Switch everything to the guest, enter it, and switch everything back.

    Mirrors: __kvm_vcpu_run(), arch/arm64/kvm/hyp/nvhe/switch.c; handle___kvm_vcpu_run(),
    arch/arm64/kvm/hyp/nvhe/hyp-main.c, v7.3
    Context: at EL2 with IRQs off: one step
    Omits: the list registers
    """
    with atomic:
        if is_protected_kvm_enabled():
            flush_hyp_vcpu(vcpu)

        __sysreg_save_host_state()
        __debug_save_host_buffers_nvhe(vcpu)

        __kvm_adjust_pc(vcpu)

        restore_guest_ctxt(vcpu)
        __load_stage2(addr(vcpu.kvm.arch.mmu))
        __activate_traps_common(vcpu)
        write_mdcr_el2(vcpu)

        if not guest_owns_fp_regs():
            kvm_hyp_handle_fpsimd(vcpu)
        guest_runs(vcpu)

        save_guest_ctxt(vcpu)
        __hyp_vgic_save_state(vcpu)
        __deactivate_traps_common(vcpu)
        this_cpu_write(hw_mdcr, 0)
        __load_host_stage2()

        __sysreg_restore_host_state()
        __debug_restore_host_buffers_nvhe(vcpu)

        if is_protected_kvm_enabled():
            sync_hyp_vcpu(vcpu)
    return choose(ARM_EXCEPTION_IRQ, ARM_EXCEPTION_TRAP)

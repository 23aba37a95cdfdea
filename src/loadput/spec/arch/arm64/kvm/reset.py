"""Reset of a vCPU, from an ioctl or from its own run loop.

Mirrors: arch/arm64/kvm/reset.c, v6.12
"""


# [New in arch:arm64]
def kvm_reset_sys_regs(vcpu: ptr[kvm_vcpu]):
    """New values in memory; what the CPU may hold of the old ones is nobody's.

    Mirrors: kvm_reset_sys_regs(), arch/arm64/kvm/sys_regs.c, with the FP registers that
    kvm_reset_vcpu() itself resets, v6.12
    """
    with atomic:
        vcpu.arch.ctxt.fp_regs = token_of(vcpu)
        vcpu.arch.ctxt.sys_regs = token_of(vcpu)
        if __this_cpu_read(hw_el1) == token_of(vcpu):
            __this_cpu_write(hw_el1, 0)
        reset_more(vcpu)


# [New in arch:arm64]
def reset_more(vcpu: ptr[kvm_vcpu]):
    """Ours: what a reset sets besides, in the same step: of a guest without a guest, and without pKVM,
    nothing that is modelled.
    """
    pass


# [New in arch:arm64]
def kvm_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """Reset the registers in memory; a loaded vCPU is put before and loaded again after.

    Mirrors: kvm_reset_vcpu(), arch/arm64/kvm/reset.c, v6.12
    Context: task that holds vcpu->mutex; preemption off, or the preempt notifiers would put and
    load in between
    Omits: PMU, timer, SVE, the target of the reset
    """
    preempt_disable()
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    kvm_reset_sys_regs(vcpu)

    if loaded:
        kvm_arch_vcpu_load(vcpu, smp_processor_id())
    preempt_enable()

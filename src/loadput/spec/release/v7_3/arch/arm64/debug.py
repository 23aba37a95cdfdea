"""Who has the debug registers is decided at load; MDCR_EL2 is the guest's from load to put.

Mirrors: arch/arm64/kvm/debug.c, v7.3. Of MDCR_EL2 there is whose it is, nobody's (0) for the host's,
and, where a scenario sets guest_debugs, whether the guest's use of the debug registers traps (TDA).
Omits: breakpoints; single step, whose state is swapped with PSTATE.SS at load and put
"""

# The guest locks and unlocks its debug registers (OSLAR_EL1).
guest_debugs = False

VCPU_DEBUG_FREE = 0
VCPU_DEBUG_HOST_OWNED = 1
VCPU_DEBUG_GUEST_OWNED = 2


class kvm_vcpu_arch(struct):
    mdcr_el2: token[mdcr, vcpu] = own
    debug_owner: upto[2]
    # OSLSR_EL1.OSLK; MDSCR_EL1.MDE.
    os_lock: bool
    mde: bool


hw_mdcr: per_cpu[token[mdcr, vcpu]]
hw_mdcr_tda: per_cpu[bool]
# struct kvm_host_data: host_debug_state.mdcr_el2.
host_debug_mdcr: per_cpu[copy[token[mdcr, vcpu]]]


# [New in release:v7.3]
def write_mdcr_el2(vcpu: ptr[kvm_vcpu]):
    """Ours: write_sysreg(vcpu->arch.mdcr_el2, mdcr_el2): at load with VHE, else at each entry."""
    with atomic:
        this_cpu_write(hw_mdcr, vcpu.arch.mdcr_el2)
        if guest_debugs:
            this_cpu_write(hw_mdcr_tda, vcpu.arch.debug_owner != VCPU_DEBUG_GUEST_OWNED)


# [New in release:v7.3]
def kvm_arm_setup_mdcr_el2(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arm_setup_mdcr_el2(), arch/arm64/kvm/debug.c, v7.3

    Omits: what else is in MDCR_EL2
    """
    preempt_disable()
    if has_vhe():
        write_mdcr_el2(vcpu)
    preempt_enable()


# [New in release:v7.3]
def kvm_vcpu_load_debug(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_load_debug(), arch/arm64/kvm/debug.c, v7.3

    Context: before kvm_vcpu_load_vhe()
    Omits: vcpu->guest_debug
    """
    if has_vhe():
        this_cpu_write(host_debug_mdcr, this_cpu(hw_mdcr))

    if guest_debugs:
        if vcpu.arch.os_lock:
            vcpu.arch.debug_owner = VCPU_DEBUG_HOST_OWNED
        elif vcpu.arch.mde:
            vcpu.arch.debug_owner = VCPU_DEBUG_GUEST_OWNED
        else:
            vcpu.arch.debug_owner = VCPU_DEBUG_FREE

    kvm_arm_setup_mdcr_el2(vcpu)


# [New in release:v7.3]
def kvm_vcpu_put_debug(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_put_debug(), arch/arm64/kvm/debug.c, v7.3

    What stays in host_debug_state is not looked at again; it is forgotten.
    """
    if has_vhe():
        this_cpu_write(hw_mdcr, this_cpu(host_debug_mdcr))
        this_cpu_write(host_debug_mdcr, 0)


# [New in release:v7.3]
def kvm_debug_set_guest_ownership(vcpu: ptr[kvm_vcpu]):
    """The guest has used a debug register, which trapped.

    Mirrors: kvm_debug_set_guest_ownership(), arch/arm64/kvm/debug.c, v7.3
    Context: preemptible
    """
    if vcpu.arch.debug_owner == VCPU_DEBUG_HOST_OWNED:
        return

    vcpu.arch.debug_owner = VCPU_DEBUG_GUEST_OWNED
    kvm_arm_setup_mdcr_el2(vcpu)


# [New in release:v7.3]
def trap_debug_regs(vcpu: ptr[kvm_vcpu]):
    """The guest writes MDSCR_EL1.

    Mirrors: trap_debug_regs(), arch/arm64/kvm/sys_regs.c, v7.3
    Omits: the other debug registers; the writes of a guest that owns them, which do not trap
    """
    vcpu.arch.mde = choose()
    kvm_debug_set_guest_ownership(vcpu)


# [New in release:v7.3]
def kvm_debug_handle_oslar(vcpu: ptr[kvm_vcpu], val: bool):
    """The guest writes OSLAR_EL1: what is decided at load is decided anew.

    Mirrors: kvm_debug_handle_oslar(), arch/arm64/kvm/debug.c, v7.3
    Context: preemptible
    """
    vcpu.arch.os_lock = val

    preempt_disable()
    kvm_arch_vcpu_put(vcpu)
    kvm_arch_vcpu_load(vcpu, smp_processor_id())
    preempt_enable()


# [Modified in release:v7.3]
def handle_trap_exceptions(vcpu: ptr[kvm_vcpu]) -> int:
    """WFI, WFE, a debug register, or what only user space can do; which one is free.

    Mirrors: handle_trap_exceptions(), kvm_handle_wfx(), arch/arm64/kvm/handle_exit.c;
    trap_oslar_el1(), trap_debug_regs(), arch/arm64/kvm/sys_regs.c, v7.3
    """
    if vcpu.guest_halts and choose():
        kvm_vcpu_wfi(vcpu)
        kvm_incr_pc(vcpu)
        return 1
    if vcpu.guest_spins and choose():
        kvm_vcpu_on_spin(vcpu, choose())
        kvm_incr_pc(vcpu)
        return 1
    if irq_bypass and choose():
        vgic_mmio_write_cactive(vcpu)
        kvm_incr_pc(vcpu)
        return 1
    if guest_debugs and choose():
        kvm_debug_handle_oslar(vcpu, choose())
        return 1
    if guest_debugs and choose():
        trap_debug_regs(vcpu)
        return 1
    return 0

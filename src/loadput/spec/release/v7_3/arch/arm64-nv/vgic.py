"""The vgic of a guest's guest: the guest hypervisor's own state, which the CPU has while that runs.

Mirrors: arch/arm64/kvm/vgic/vgic-v3-nested.c, arch/arm64/kvm/vgic/vgic-v3.c,
arch/arm64/kvm/vgic/vgic-v4.c, v7.3. Of ICH_VMCR_EL2 there is the priority mask, where a scenario sets
guest_masks. A guest hypervisor takes its guest's interrupts (HCR_EL2.IMO and FMO).
Omits: the list registers of the guest's guest, its active priorities, the maintenance interrupt
"""

# Where KVM_REQ_UNBLOCK is, which nothing here makes.
KVM_REQ_GUEST_HYP_IRQ_PENDING = 1
# Who writes GICD_CTLR switches the distributor on or off (KVM_REQ_RELOAD_GICv4).
gicd_switches = False


class kvm_vcpu_arch(struct):
    # The guest hypervisor's ICH_VMCR_EL2, in its VNCR page; what its guest wrote last.
    ich_vmcr_el2: upto[1]
    nested_pmr: ghost[upto[1]]


# [New in release:v7.3]
def vgic_state_is_nested(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vgic_state_is_nested(), arch/arm64/kvm/vgic/vgic-v3-nested.c, v7.3"""
    return not is_hyp_ctxt(vcpu)


# [New in release:v7.3]
def vgic_v3_load_nested(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_load_nested(), vgic_v3_create_shadow_state(),
    arch/arm64/kvm/vgic/vgic-v3-nested.c, v7.3; Omits: traps
    """
    if guest_masks:
        this_cpu_write(hw_vmcr, vcpu.arch.ich_vmcr_el2)


# [New in release:v7.3]
def vgic_v3_put_nested(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_put_nested(), arch/arm64/kvm/vgic/vgic-v3-nested.c, v7.3

    Omits: active priorities, list registers and traps, which are all that it is about
    """
    pass


# [New in release:v7.3]
def vgic_v3_sync_nested(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_sync_nested(), arch/arm64/kvm/vgic/vgic-v3-nested.c, v7.3"""
    if guest_masks:
        vcpu.arch.ich_vmcr_el2 = this_cpu(hw_vmcr)


# [Modified in release:v7.3]
def vgic_v3_load(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_load(), arch/arm64/kvm/vgic/vgic-v3.c, v7.3; Omits: traps"""
    if vgic_state_is_nested(vcpu):
        vgic_v3_load_nested(vcpu)
        return

    __vgic_v3_restore_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))

    vgic_v4_load(vcpu)


# [Modified in release:v7.3]
def vgic_v3_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_put(), arch/arm64/kvm/vgic/vgic-v3.c, v7.3; Omits: traps"""
    if vgic_state_is_nested(vcpu):
        vgic_v3_put_nested(vcpu)
        return

    __vgic_v3_save_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))
    vgic_v4_put(vcpu)


# [New in release:v7.3]
def vgic_v4_want_doorbell(vcpu: ptr[kvm_vcpu]) -> bool:
    """Where its guest runs, the guest hypervisor's own vLPIs must bring it back.

    Mirrors: vgic_v4_want_doorbell(), arch/arm64/kvm/vgic/vgic-v4.c, v7.3
    """
    if vcpu_get_flag(vcpu, IN_WFI):
        return True

    return vcpu_get_flag(vcpu, IN_NESTED_ERET)


# [New in release:v7.3]
def reload_gicv4(vcpu: ptr[kvm_vcpu]):
    """Mirrors: check_vcpu_requests(), arch/arm64/kvm/arm.c, v7.3, case KVM_REQ_RELOAD_GICv4"""
    preempt_disable()
    vgic_v4_put(vcpu)
    vgic_v4_load(vcpu)
    preempt_enable()


# [New in release:v7.3]
def kvm_nested_flush_hwstate(vcpu: ptr[kvm_vcpu]):
    """What is pending for the guest hypervisor ends its guest's run before it begins.

    Mirrors: kvm_nested_flush_hwstate(), arch/arm64/kvm/nested.c, v7.3; Context: preemption off
    Omits: SError
    """
    if vgic_state_is_nested(vcpu) and kvm_vgic_vcpu_pending_irq(vcpu):
        kvm_make_request(KVM_REQ_GUEST_HYP_IRQ_PENDING, vcpu)


# [New in release:v7.3]
def kvm_inject_nested_irq(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_inject_nested_irq(), arch/arm64/kvm/emulate-nested.c, v7.3

    Omits: a hypervisor that is there already, which takes it there
    """
    if is_hyp_ctxt(vcpu):
        return
    kvm_inject_nested(vcpu)


# [Modified in release:v7.3]
def kvm_vgic_flush_hwstate(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vgic_flush_hwstate(), arch/arm64/kvm/vgic/vgic.c, v7.3; Context: IRQs off"""
    if vgic_state_is_nested(vcpu):
        return

    vcpu.arch.lr = READ_ONCE(vcpu.irq_pending)


# [Modified in release:v7.3]
def kvm_vgic_sync_hwstate(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vgic_sync_hwstate(), vgic_fold_state(), arch/arm64/kvm/vgic/vgic.c, v7.3

    Omits: the list of interrupts, which goes to other vCPUs
    """
    if vgic_state_is_nested(vcpu):
        vgic_v3_sync_nested(vcpu)
        return

    if can_access_vgic_from_kernel():
        __vgic_v3_save_state(addr(vcpu.arch.vgic_cpu.vgic_v3))

    vcpu.arch.lr = False


# [Modified in release:v7.3]
def guest_writes_pmr(vcpu: ptr[kvm_vcpu]):
    """Ours: as without, or the mask of the guest's guest."""
    if vgic_state_is_nested(vcpu):
        vcpu.arch.nested_pmr = this_cpu(hw_vmcr)
    else:
        vcpu.arch.pmr = this_cpu(hw_vmcr)


# [Modified in release:v7.3]
def guest_pmr(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Ours: the mask that the guest, or its guest, has set last."""
    if vgic_state_is_nested(vcpu):
        return vcpu.arch.nested_pmr
    return vcpu.arch.pmr


# [Modified in release:v7.3]
def is_kicked(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: as without; what the guest hypervisor masks does not bring it back."""
    if vcpu.arch.lr or vcpu.mode == EXITING_GUEST_MODE:
        return True
    return vgic_state_is_nested(vcpu) and vcpu.arch.pmr == PMR_MASKS


# [Modified in release:v7.3]
def vpe_reaches(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: as without; not the guest's guest, which a doorbell ends."""
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)
    if vgic_state_is_nested(vcpu):
        told = vpe.doorbell or vpe.doorbell_irq or vpe.pending_last
        return told and not vpe.resident and this_cpu(hw_vpendbaser) != vpe
    return vpe.resident and this_cpu(hw_vpendbaser) == vpe

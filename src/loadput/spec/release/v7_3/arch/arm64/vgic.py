"""The guest's priority mask is saved at each exit; a put saves the active priorities alone.

Mirrors: arch/arm64/kvm/vgic/vgic.c, arch/arm64/kvm/vgic/vgic-v3.c, arch/arm64/kvm/hyp/vgic-v3-sr.c,
v7.3
Omits: GICv5; interrupts beyond the list registers; what vgic.py and vgic_v3.py of arm64 omit
"""


# [New in release:v7.3]
def can_access_vgic_from_kernel() -> bool:
    """Mirrors: can_access_vgic_from_kernel(), arch/arm64/kvm/vgic/vgic.c, v7.3"""
    return has_vhe()


# [New in release:v7.3]
def __vgic_v3_save_state(cpu_if: ptr[vgic_v3_cpu_if]):
    """Mirrors: __vgic_v3_save_state(), arch/arm64/kvm/hyp/vgic-v3-sr.c, v7.3

    Omits: the list registers, which are empty after this
    """
    if guest_masks:
        cpu_if.vgic_vmcr = this_cpu(hw_vmcr)


# [New in release:v7.3]
def __vgic_v3_save_aprs(cpu_if: ptr[vgic_v3_cpu_if]):
    """Mirrors: __vgic_v3_save_aprs(), arch/arm64/kvm/hyp/vgic-v3-sr.c, v7.3

    Omits: active priorities, which are all that it saves
    """
    pass


# [Modified in release:v7.3]
def vgic_v3_load(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_load(), arch/arm64/kvm/vgic/vgic-v3.c, v7.3; Omits: traps, a nested vgic, pKVM"""
    __vgic_v3_restore_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))

    vgic_v4_load(vcpu)


# [Modified in release:v7.3]
def vgic_v3_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_put(), arch/arm64/kvm/vgic/vgic-v3.c, v7.3; Omits: traps, a nested vgic"""
    __vgic_v3_save_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))
    vgic_v4_put(vcpu)


# [New in release:v7.3]
def vgic_v4_want_doorbell(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vgic_v4_want_doorbell(), arch/arm64/kvm/vgic/vgic-v4.c, v7.3, of a guest that has no guest"""
    return vcpu_get_flag(vcpu, IN_WFI)


# [Modified in release:v7.3]
def vgic_v4_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v4_put(), arch/arm64/kvm/vgic/vgic-v4.c, v7.3"""
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)

    if not vgic_supports_direct_msis(vcpu.kvm) or not vpe.resident:
        return

    its_make_vpe_non_resident(vpe, vgic_v4_want_doorbell(vcpu))


# [Modified in release:v7.3]
def kvm_vgic_sync_hwstate(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vgic_sync_hwstate(), vgic_fold_state(), arch/arm64/kvm/vgic/vgic.c, v7.3

    Omits: a nested vgic; the list of interrupts, which goes to other vCPUs
    """
    if can_access_vgic_from_kernel():
        __vgic_v3_save_state(addr(vcpu.arch.vgic_cpu.vgic_v3))

    vcpu.arch.lr = False

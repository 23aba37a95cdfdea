# [Modified in twin:nv_l2_has_vgic_of_l1]
def vgic_v3_load(vcpu: ptr[kvm_vcpu]):
    """Whoever runs."""
    __vgic_v3_restore_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))

    vgic_v4_load(vcpu)

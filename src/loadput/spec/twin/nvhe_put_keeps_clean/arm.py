pkvm = True


# [Modified in twin:nvhe_put_keeps_clean]
def put_protected(vcpu: ptr[kvm_vcpu]):
    """What the host changes meanwhile is not seen."""
    __vgic_v3_save_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))
    __pkvm_vcpu_put()

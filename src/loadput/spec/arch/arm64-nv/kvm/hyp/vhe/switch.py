"""World switch with VHE: which of the VM's two stages 2 is loaded.

Mirrors: arch/arm64/kvm/hyp/vhe/switch.c, v6.12
"""


# [Modified in arch:arm64-nv]
def kvm_vcpu_load_vhe(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_load_vhe(), arch/arm64/kvm/hyp/vhe/switch.c, v6.12

    Omits: as in arch:arm64; that VTTBR is arch.hw_mmu's: here it is the canonical MMU's, and hw_stage2
    says which stage 2 is loaded
    """
    __vcpu_load_switch_sysregs(vcpu)
    __vcpu_load_activate_traps(vcpu)
    __load_stage2(addr(vcpu.kvm.arch.mmu))
    __this_cpu_write(hw_stage2, vcpu.arch.hw_mmu)
    fill_tlb(vcpu)

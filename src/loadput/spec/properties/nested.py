"""What load and put must keep true where the guest has a guest: arm64."""


@property_(
    source="arch/arm64/kvm/nested.c kvm_vcpu_load_hw_mmu(), v6.12",
    twin="nv_put_keeps_mmu",
    where="guest_nests",
)
@at_entry(guest_runs)
def STAGE2_OF_CONTEXT(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest runs on the stage 2 of its context: its own as a hypervisor, else its guest's."""
    wanted = CANONICAL_MMU if is_hyp_ctxt(vcpu) else NESTED_MMU
    return __this_cpu_read(hw_stage2) == wanted


@property_(
    source="arch/arm64/kvm/nested.c kvm_vcpu_put_hw_mmu(), get_s2_mmu_nested(), v6.12",
    twin="nv_put_keeps_mmu",
    where="guest_nests",
)
@at_exit(vcpu_put)
def NV_MMU_REF(vcpu: ptr[kvm_vcpu]) -> bool:
    """A vCPU that nobody has open holds no stage 2."""
    return vcpu.arch.hw_mmu == NO_MMU

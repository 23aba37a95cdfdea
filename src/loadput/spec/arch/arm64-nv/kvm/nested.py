"""Which stage 2 a vCPU needs, and who holds it.

Mirrors: arch/arm64/kvm/nested.c, v6.12. The guest hypervisor has one stage 2 for its guest, so that
every vCPU's lookup finds the same shadow of it.
Omits: shadow page tables and their unmapping, VMIDs and last_vcpu_ran of the shadow, its reuse for
another stage 2
"""

# The guest is a hypervisor.
guest_nests = True

NO_MMU = 0
# &kvm->arch.mmu, and kvm->arch.nested_mmus[0].
CANONICAL_MMU = 1
NESTED_MMU = 2


class kvm_arch(struct):
    nested_refcnt: upto[4]


class kvm_vcpu_arch(struct):
    hw_mmu: upto[2] = 1
    in_l2: bool


# Whose stage 2 VTTBR_EL2 has, of the VM's two.
hw_stage2: per_cpu[upto[2]]


# [New in arch:arm64-nv]
def is_hyp_ctxt(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: is_hyp_ctxt(), arch/arm64/include/asm/kvm_emulate.h, v6.12"""
    return not vcpu.arch.in_l2


# [New in arch:arm64-nv]
def get_s2_mmu_nested(vcpu: ptr[kvm_vcpu]) -> upto[2]:
    """Mirrors: get_s2_mmu_nested(), arch/arm64/kvm/nested.c, v6.12; Context: mmu_lock held"""
    atomic_inc(vcpu.kvm.arch.nested_refcnt)
    return NESTED_MMU


# [New in arch:arm64-nv]
def kvm_vcpu_load_hw_mmu(vcpu: ptr[kvm_vcpu]):
    """A vCPU that has kept its stage 2 over the scheduler goes on with it.

    Mirrors: kvm_vcpu_load_hw_mmu(), arch/arm64/kvm/nested.c, v6.12
    """
    if vcpu.arch.hw_mmu != NO_MMU:
        return

    if is_hyp_ctxt(vcpu):
        vcpu.arch.hw_mmu = CANONICAL_MMU
    else:
        with atomic:
            vcpu.arch.hw_mmu = get_s2_mmu_nested(vcpu)


# [New in arch:arm64-nv]
def kvm_vcpu_put_hw_mmu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_put_hw_mmu(), arch/arm64/kvm/nested.c, v6.12, Linux commit 6ded46b5a4fd
    ("KVM: arm64: nv: Keep reference on stage-2 MMU when scheduled out")
    """
    if vcpu.scheduled_out and not vcpu_get_flag(vcpu, IN_WFI):
        return

    if vcpu.arch.hw_mmu == NESTED_MMU:
        atomic_dec(vcpu.kvm.arch.nested_refcnt)

    vcpu.arch.hw_mmu = NO_MMU

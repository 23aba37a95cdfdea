"""Without a flag a put cannot tell that the scheduler calls it: the reference is given back.

Mirrors: arch/arm64/kvm/nested.c, v7.3, as before Linux commit 6ded46b5a4fd ("KVM: arm64: nv: Keep
reference on stage-2 MMU when scheduled out")
"""


# [Modified in design:B]
def kvm_vcpu_put_hw_mmu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_put_hw_mmu(), arch/arm64/kvm/nested.c, v7.3, without its test"""
    this_cpu_reset_vncr_fixmap(vcpu)

    if vcpu.arch.hw_mmu == NESTED_MMU:
        atomic_dec(vcpu.kvm.arch.nested_refcnt)

    vcpu.arch.hw_mmu = NO_MMU

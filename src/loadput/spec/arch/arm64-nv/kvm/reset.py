"""Reset of a vCPU that may run a guest of its guest: it begins at EL2, as a hypervisor.

Mirrors: arch/arm64/kvm/reset.c, v6.12
"""


# [Modified in arch:arm64-nv]
def reset_more(vcpu: ptr[kvm_vcpu]):
    """PSTATE and HCR_EL2, which say whether it is in the nested guest.

    Mirrors: kvm_reset_vcpu() where it sets PSTATE, arch/arm64/kvm/reset.c; kvm_reset_sys_regs() where
    it sets HCR_EL2, arch/arm64/kvm/sys_regs.c, v6.12
    """
    vcpu.arch.in_l2 = False

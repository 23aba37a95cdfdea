"""Reset of a vCPU that may run a guest of its guest: it begins at EL2, as a hypervisor.

Mirrors: arch/arm64/kvm/reset.c, v6.12
"""


# [Modified in arch:arm64-nv]
def kvm_reset_sys_regs(vcpu: ptr[kvm_vcpu]):
    """As without; PSTATE and HCR_EL2, which say whether it is in the nested guest, are reset too.

    Mirrors: kvm_reset_sys_regs(), arch/arm64/kvm/sys_regs.c, with the FP registers and PSTATE that
    kvm_reset_vcpu() itself resets, v6.12
    """
    with atomic:
        vcpu.arch.ctxt.fp_regs = token_of(vcpu)
        vcpu.arch.ctxt.sys_regs = token_of(vcpu)
        if __this_cpu_read(hw_el1) == token_of(vcpu):
            __this_cpu_write(hw_el1, 0)
        vcpu.arch.in_l2 = False

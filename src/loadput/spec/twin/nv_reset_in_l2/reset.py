# [Modified in twin:nv_reset_in_l2]
def kvm_reset_sys_regs(vcpu: ptr[kvm_vcpu]):
    """in_l2 stays."""
    with atomic:
        vcpu.arch.ctxt.fp_regs = token_of(vcpu)
        vcpu.arch.ctxt.sys_regs = token_of(vcpu)
        if __this_cpu_read(hw_el1) == token_of(vcpu):
            __this_cpu_write(hw_el1, 0)

# [Modified in twin:arm64_put_keeps_guest_tpidr]
def __vcpu_put_switch_sysregs(vcpu: ptr[kvm_vcpu]):
    """The guest's TPIDR_EL0 stays in the register."""
    vcpu.arch.ctxt.sys_regs = __this_cpu_read(hw_el1)
    __this_cpu_write(hw_el1, 0)

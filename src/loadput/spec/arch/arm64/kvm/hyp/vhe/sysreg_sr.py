"""System registers that stay loaded from vcpu_load() to vcpu_put().

Mirrors: arch/arm64/kvm/hyp/vhe/sysreg-sr.c, v6.12
Omits: the registers that every entry and exit switches; 32-bit state; SYSREGS_ON_CPU, which
nothing here reads
"""


# [New in arch:arm64]
def __vcpu_load_switch_sysregs(vcpu: ptr[kvm_vcpu]):
    """The host's TPIDR goes to this CPU's host context; the guest's EL1 and EL0 registers come in.

    Mirrors: __vcpu_load_switch_sysregs(), arch/arm64/kvm/hyp/vhe/sysreg-sr.c, v6.12
    """
    __this_cpu_write(host_ctxt_tpidr, __this_cpu_read(hw_tpidr))

    __this_cpu_write(hw_tpidr, 0)
    __this_cpu_write(hw_el1, vcpu.arch.ctxt.sys_regs)


# [New in arch:arm64]
def __vcpu_put_switch_sysregs(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __vcpu_put_switch_sysregs(), arch/arm64/kvm/hyp/vhe/sysreg-sr.c, v6.12

    What stays in the EL1 registers and in the host context is not looked at again; it is forgotten.
    """
    vcpu.arch.ctxt.sys_regs = __this_cpu_read(hw_el1)
    __this_cpu_write(hw_el1, 0)

    __this_cpu_write(hw_tpidr, __this_cpu_read(host_ctxt_tpidr))
    __this_cpu_write(host_ctxt_tpidr, 0)

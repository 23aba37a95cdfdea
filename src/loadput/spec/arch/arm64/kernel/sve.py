"""Who may use SVE at EL0 without a trap: CPACR_EL1.ZEN, which is a CPU's, and TIF_SVE, a task's.

Mirrors: arch/arm64/kernel/fpsimd.c, v6.12. Only where a scenario sets host_sve.
Omits: the SVE registers; that a task loses TIF_SVE again
"""

# The host's threads use SVE.
host_sve = False


class thread_info(struct):
    sve: bool


hw_zen_el0: per_cpu[bool]


# [New in arch:arm64]
def do_sve_acc():
    """User mode's first SVE instruction has trapped: from now on it does not.

    Mirrors: do_sve_acc(), fpsimd_bind_task_to_cpu(), arch/arm64/kernel/fpsimd.c, v6.12
    """
    current.thread_info.sve = True
    __this_cpu_write(hw_zen_el0, True)


# [New in arch:arm64]
def kvm_reset_cptr_el2(vcpu: ptr[kvm_vcpu]):
    """With VHE, CPACR_EL1 is the guest's trap control while it runs, and default after.

    Mirrors: kvm_reset_cptr_el2(), arch/arm64/include/asm/kvm_emulate.h, v6.12
    """
    if host_sve:
        __this_cpu_write(hw_zen_el0, False)

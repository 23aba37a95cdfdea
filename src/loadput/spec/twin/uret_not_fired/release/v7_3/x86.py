"""arch/x86/kvm/msrs.c of v7.3 without user_return_notifier_register()."""


# [Modified in twin:uret_not_fired]
def kvm_set_user_return_msr(slot: upto[0], value: upto[1], mask: int) -> int:
    """As kvm_set_user_return_msr(), without the notifier."""
    msrs = this_cpu_ptr(addr(user_return_msrs))
    if value == msrs.curr:
        return 0
    this_cpu_write(hw_tsc_aux, value)
    msrs.curr = value
    return 0

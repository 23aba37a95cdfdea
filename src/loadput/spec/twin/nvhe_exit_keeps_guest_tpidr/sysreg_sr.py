# [Modified in twin:nvhe_exit_keeps_guest_tpidr]
def __sysreg_restore_host_state():
    """TPIDR_EL0 stays nobody's."""
    __this_cpu_write(host_ctxt_tpidr, 0)

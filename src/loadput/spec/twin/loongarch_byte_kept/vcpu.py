guest_knows_preempt = True


# [Modified in twin:loongarch_byte_kept]
def kvm_update_stolen_time(vcpu: ptr[kvm_vcpu]):
    """The sum alone."""
    if not vcpu.steal_time:
        return
    vcpu.arch.st.last_steal = current.sched_info_run_delay

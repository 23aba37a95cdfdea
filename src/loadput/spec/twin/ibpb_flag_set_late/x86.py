# [Modified in twin:ibpb_flag_set_late]
def note_that_guest_ran():
    """Not yet."""
    pass


# [Modified in twin:ibpb_flag_set_late]
def kvm_x86_handle_exit(vcpu: ptr[kvm_vcpu]) -> int:
    """With preemption on."""
    this_cpu_write(x86_ibpb_exit_to_user, True)
    return svm_handle_exit(vcpu)

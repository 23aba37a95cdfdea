"""arch/x86/kvm/svm/svm.c without its VMSAVE."""


# [Modified in twin:no_vmsave]
def svm_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """As svm_prepare_switch_to_guest(), without VMSAVE."""
    svm = to_svm(vcpu)

    if svm.guest_state_loaded:
        return

    kvm_set_user_return_msr(tsc_aux_uret_slot, svm.tsc_aux, -1)
    svm.guest_state_loaded = True

"""arch/x86/kvm/svm/svm.c of v7.3 without its VMSAVE."""


# [Modified in twin:no_vmsave]
def svm_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """As svm_prepare_switch_to_guest(), without VMSAVE."""
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), vcpu.cpu)

    if svm.guest_state_loaded:
        return

    if is_sev_es_guest(vcpu):
        sev_es_prepare_switch_to_guest(svm, sd.save_area_pa)

    if tsc_scaling:
        __svm_write_tsc_multiplier(vcpu.arch.tsc_scaling_ratio)

    if not is_sev_es_guest(vcpu):
        kvm_set_user_return_msr(tsc_aux_uret_slot, svm.tsc_aux, -1)
    svm.guest_state_loaded = True

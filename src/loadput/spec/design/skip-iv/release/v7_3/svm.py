"""On v7.3: the load issues no barrier, and a guest may have SEV-ES.

Mirrors: arch/x86/kvm/svm/svm.c, v7.3, with the idea added
"""


# [Modified in design:skip-iv]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Note whether the next entry may do without VMSAVE; vcpu->cpu is the CPU of the last load.

    Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c, v7.3
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), cpu)

    if vcpu.scheduled_out and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    if avic:
        avic_vcpu_load(vcpu, cpu)

    if not vcpu.scheduled_out:
        svm.saved_since_load = False
    svm.skip_save = (
        vcpu.scheduled_out and vcpu.cpu == cpu and sd.saver == current and svm.saved_since_load
    )


# [Modified in design:skip-iv]
def svm_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """Save the host state that the next #VMEXIT will load, unless the load said that it is there.

    Mirrors: svm_prepare_switch_to_guest(), arch/x86/kvm/svm/svm.c, v7.3; Omits: as in release:v7.3
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), vcpu.cpu)

    if svm.guest_state_loaded:
        return

    if not svm.skip_save:
        vmsave(sd.save_area_pa)
        sd.saver = current
        svm.saved_since_load = True

    if is_sev_es_guest(vcpu):
        sev_es_prepare_switch_to_guest(svm, sd.save_area_pa)

    if tsc_scaling:
        __svm_write_tsc_multiplier(vcpu.arch.tsc_scaling_ratio)

    if not is_sev_es_guest(vcpu):
        kvm_set_user_return_msr(tsc_aux_uret_slot, svm.tsc_aux, -1)
    svm.guest_state_loaded = True

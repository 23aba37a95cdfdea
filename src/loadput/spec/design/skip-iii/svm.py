"""Skip on scheduled_out, the same CPU, and an area that this task was the last to save into.

Mirrors: arch/x86/kvm/svm/svm.c, v6.12, with the idea added
"""


class vcpu_svm(struct):
    skip_save: bool


class svm_cpu_data(struct):
    saver: ptr[task_struct]


# [Modified in design:skip-iii]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Note whether the next entry may do without VMSAVE; vcpu->cpu is the CPU of the last load.

    Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c, v6.12; Omits: AVIC
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), cpu)

    if vcpu.scheduled_out and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    if sd.current_vmcb != svm.vmcb:
        sd.current_vmcb = svm.vmcb
        indirect_branch_prediction_barrier()

    svm.skip_save = vcpu.scheduled_out and vcpu.cpu == cpu and sd.saver == current


# [Modified in design:skip-iii]
def svm_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """Save the host state that the next #VMEXIT will load, unless the load said that it is there.

    Mirrors: svm_prepare_switch_to_guest(), arch/x86/kvm/svm/svm.c, v6.12
    Omits: SEV-ES, the TSC ratio, BP_SPEC_REDUCE
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), vcpu.cpu)

    if svm.guest_state_loaded:
        return

    if not svm.skip_save:
        vmsave(sd.save_area_pa)
        sd.saver = current

    kvm_set_user_return_msr(tsc_aux_uret_slot, svm.tsc_aux, -1)
    svm.guest_state_loaded = True

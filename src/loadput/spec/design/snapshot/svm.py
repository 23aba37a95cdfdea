"""Save at the load, keep a copy with the vCPU, put the copy into the area at the entry.

Mirrors: arch/x86/kvm/svm/svm.c after 20240430224431.490139-1-seanjc@google.com, with the flag
scheduled_out for the parameter sched_in that it was written for
"""


class vcpu_svm(struct):
    host_fs: token[fs, task]
    host_ldtr: token[ldt, vm]


# [Modified in design:snapshot]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Save and remember, for KVM_RUN, unless the scheduler loads on the CPU of the last load.

    Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c; Omits: AVIC, TR, KERNEL_GS_BASE
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), cpu)

    if vcpu.scheduled_out and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    if sd.current_vmcb != svm.vmcb:
        sd.current_vmcb = svm.vmcb
        indirect_branch_prediction_barrier()

    if vcpu.wants_to_run and (vcpu.cpu != cpu or not vcpu.scheduled_out):
        vmsave(sd.save_area_pa)
        svm.host_fs = sd.save_area_pa.fs
        svm.host_ldtr = sd.save_area_pa.ldtr


# [Modified in design:snapshot]
def svm_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """Put what is remembered into this CPU's area.

    Mirrors: svm_prepare_switch_to_guest(), arch/x86/kvm/svm/svm.c
    Omits: SEV-ES, the TSC ratio, BP_SPEC_REDUCE
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), vcpu.cpu)

    if svm.guest_state_loaded:
        return

    sd.save_area_pa.fs = svm.host_fs
    sd.save_area_pa.ldtr = svm.host_ldtr

    kvm_set_user_return_msr(tsc_aux_uret_slot, svm.tsc_aux, -1)
    svm.guest_state_loaded = True

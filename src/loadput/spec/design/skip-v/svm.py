"""Skip where the CPU's area carries this vCPU's load generation.

Mirrors: arch/x86/kvm/svm/svm.c, v6.12, with the idea added. In C each vCPU counts its vcpu_load()s
(load_gen), and VMSAVE leaves {vCPU, load_gen} beside the area. Here the area's tag is the vCPU
whose current generation it carries: a new generation makes all its tags worthless, so it takes them
away.
"""


class svm_cpu_data(struct):
    saved_for: ptr[vcpu_svm]


# [New in design:skip-v]
def svm_new_load_gen(svm: ptr[vcpu_svm]):
    """Ours: one store to the vCPU's own load_gen."""
    with atomic:
        for c in each(cpu):
            sd = per_cpu_ptr(addr(svm_data), c)
            if sd.saved_for == svm:
                sd.saved_for = NULL


# [Modified in design:skip-v]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Begin a new generation unless the scheduler loads.

    Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c, v6.12; Omits: AVIC
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), cpu)

    if vcpu.scheduled_out and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    if sd.current_vmcb != svm.vmcb:
        sd.current_vmcb = svm.vmcb
        indirect_branch_prediction_barrier()

    if not vcpu.scheduled_out:
        svm_new_load_gen(svm)


# [Modified in design:skip-v]
def svm_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """Save the host state that the next #VMEXIT will load, unless this CPU's area has it.

    Mirrors: svm_prepare_switch_to_guest(), arch/x86/kvm/svm/svm.c, v6.12
    Omits: SEV-ES, the TSC ratio, BP_SPEC_REDUCE
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), vcpu.cpu)

    if svm.guest_state_loaded:
        return

    if sd.saved_for != svm:
        vmsave(sd.save_area_pa)
        sd.saved_for = svm

    kvm_set_user_return_msr(tsc_aux_uret_slot, svm.tsc_aux, -1)
    svm.guest_state_loaded = True

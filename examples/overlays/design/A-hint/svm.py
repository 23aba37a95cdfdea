"""The flag, its two writers, and what its reader rests on.

Mirrors: arch/x86/kvm/svm/svm.c, v6.1, with the flag added
"""


class vcpu_svm(struct):
    sched_in_hint: bool


# [Modified in design:A-hint]
def svm_sched_in(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: svm_sched_in(), arch/x86/kvm/svm/svm.c, v6.1, with the flag set"""
    to_svm(vcpu).sched_in_hint = True
    if not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)


# [Modified in design:A-hint]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c, v6.1, with the flag used up"""
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), cpu)

    if sd.current_vmcb != svm.vmcb:
        sd.current_vmcb = svm.vmcb
        indirect_branch_prediction_barrier()

    svm.sched_in_hint = False


@property_(source="20240430193157.419425-1-seanjc@google.com, the need for the flag")
@at_entry(svm_vcpu_load)
def HINT_AT_LOAD(vcpu: ptr[kvm_vcpu]) -> bool:
    """The vendor's load finds the hint exactly when the scheduler brought the task back."""
    return to_svm(vcpu).sched_in_hint == (current.via == VIA_SCHED_IN)

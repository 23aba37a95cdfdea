"""arch/x86/kvm/x86.c, as it was."""


# [Modified in museum:st-preempted-mid-insn]
def kvm_steal_time_set_preempted(vcpu: ptr[kvm_vcpu]):
    """Nobody asks whether the guest is between two instructions."""
    if not vcpu.steal_time:
        return

    if vcpu.arch.st.preempted:
        return

    vcpu.arch.steal.preempted = KVM_VCPU_PREEMPTED
    vcpu.arch.st.preempted = True

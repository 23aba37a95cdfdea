"""arch/x86/kvm/x86.c, as it was."""


# [Modified in museum:st-flush-bit-copied]
def record_steal_time(vcpu: ptr[kvm_vcpu]):
    """The guest's struct is copied in, the copy is cleared, and copied back."""
    if not vcpu.steal_time:
        return

    st_preempted = READ_ONCE(vcpu.arch.steal.preempted)
    vcpu.arch.st.preempted = False
    if st_preempted & KVM_VCPU_FLUSH_TLB:
        kvm_vcpu_flush_tlb_guest(vcpu)
    WRITE_ONCE(vcpu.arch.steal.preempted, 0)

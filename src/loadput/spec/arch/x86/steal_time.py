"""Steal time, and the TLB flush that a guest leaves to the host.

Mirrors: arch/x86/kvm/x86.c; for the guest arch/x86/kernel/kvm.c, v6.12. The page table is the VM's;
per vCPU it is a token, so that whoever holds an older translation of it is seen.
"""

KVM_VCPU_PREEMPTED = 1
KVM_VCPU_FLUSH_TLB = 2

# The vCPUs whose guests change the page table and have it forgotten, a bit each. SVM: with asids.
guest_maps: setting[upto[15]] = 0


class kvm(struct):
    # A mapping is changed, and some vCPU may still use the old one: nobody has its page yet.
    unmapping: bool


class kvm_vcpu_arch(struct):
    page_table: ghost[token[translation, vcpu]] = own
    # In the guest: the IPI of flush_tlb_func(); waiting until the others have taken it.
    flush_ipi: bool
    flush_waits: bool
    # What the emulator has translated and not yet accessed.
    emulated: token[translation, vcpu]


# [New in arch:x86]
def kvm_steal_time_set_preempted(vcpu: ptr[kvm_vcpu]):
    """Tell the guest, in its own memory, that this vCPU has lost its CPU.

    Mirrors: kvm_steal_time_set_preempted(), arch/x86/kvm/x86.c, v6.12
    Omits: finding the guest's page, which may fail
    """
    if not vcpu.arch.at_instruction_boundary:
        return

    if not vcpu.steal_time:
        return

    if vcpu.arch.st.preempted:
        return

    vcpu.arch.steal.preempted = KVM_VCPU_PREEMPTED
    vcpu.arch.st.preempted = True


# [New in arch:x86]
def record_steal_time(vcpu: ptr[kvm_vcpu]):
    """Mirrors: record_steal_time(), arch/x86/kvm/x86.c, v6.12

    Omits: the time itself and its version
    """
    if not vcpu.steal_time:
        return

    if guest_maps:
        st_preempted = xchg(vcpu.arch.steal.preempted, 0)
        vcpu.arch.st.preempted = False
        if st_preempted & KVM_VCPU_FLUSH_TLB:
            kvm_vcpu_flush_tlb_guest(vcpu)
    else:
        vcpu.arch.steal.preempted = 0
        vcpu.arch.st.preempted = False


# [New in arch:x86]
def kvm_vcpu_flush_tlb_guest(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_flush_tlb_guest(), arch/x86/kvm/x86.c, v6.12; Omits: shadow page tables"""
    kvm_x86_flush_tlb_guest(vcpu)


# [New in arch:x86]
def kvm_x86_flush_tlb_guest(vcpu: ptr[kvm_vcpu]):
    """Each vendor has its own.

    Mirrors: svm_x86_ops.flush_tlb_guest, arch/x86/kvm/svm/svm.c, v6.12
    """
    pass


# [New in arch:x86]
def host_has_flushed(vcpu: ptr[kvm_vcpu]):
    """Ours: a place for properties: the hardware has done a flush that the host asked for."""
    pass


# [New in arch:x86]
def translation_is_used(vcpu: ptr[kvm_vcpu], held: token[translation, vcpu]):
    """Ours: a place for properties: the guest, or KVM for it, accesses memory through ``held``."""
    pass


# [New in arch:x86]
def x86_emulate_instruction(vcpu: ptr[kvm_vcpu]):
    """Translate the guest's address, then access what is there.

    Mirrors: x86_emulate_instruction(), emulator_read_write(), arch/x86/kvm/x86.c, v6.12
    Context: preemptible
    """
    vcpu.arch.emulated = token_of(vcpu)
    with atomic:
        translation_is_used(vcpu, vcpu.arch.emulated)
        vcpu.arch.emulated = NULL


# [New in arch:x86]
def guest_runs(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest, from VMRUN to #VMEXIT: takes the IPI, uses memory, may change a mapping.

    Omits: that it may leave in the middle of kvm_flush_tlb_multi()
    """
    if READ_ONCE(vcpu.arch.flush_ipi):
        guest_flush_tlb_func(vcpu)
    with atomic:
        guest_uses_memory(vcpu)
    if (guest_maps >> (vcpu - 1)) & 1:
        if vcpu.arch.flush_waits:
            guest_looks_for_acks(vcpu)
        elif choose():
            guest_unmaps(vcpu)


# [New in arch:x86]
def guest_uses_memory(vcpu: ptr[kvm_vcpu]):
    """Ours: through the TLB; each vendor has its own tags."""
    pass


# [New in arch:x86]
def guest_invalidates(vcpu: ptr[kvm_vcpu]):
    """Ours: INVLPG or a write of CR3 in the guest; each vendor has its own tags."""
    pass


# [New in arch:x86]
def guest_unmaps(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest clears a PTE and has every vCPU forget it, one at a time (page table lock)."""
    with atomic:
        assume(not vcpu.kvm.unmapping)
        vcpu.kvm.unmapping = True
        for v in each(kvm_vcpu):
            if v.kvm == vcpu.kvm:
                fresh(v.arch.page_table, v)
        guest_invalidates(vcpu)
    kvm_flush_tlb_multi(vcpu)
    vcpu.arch.flush_waits = True
    guest_looks_for_acks(vcpu)


# [New in arch:x86]
def kvm_flush_tlb_multi(vcpu: ptr[kvm_vcpu]):
    """In the guest: an IPI to those who run, a bit for the host to those who do not.

    Mirrors: kvm_flush_tlb_multi(), arch/x86/kernel/kvm.c, v6.12
    """
    for v in each(kvm_vcpu):
        if v.kvm == vcpu.kvm and v != vcpu:
            state = READ_ONCE(v.arch.steal.preempted)
            if state & KVM_VCPU_PREEMPTED:
                with atomic:
                    was = cmpxchg(v.arch.steal.preempted, state, state | KVM_VCPU_FLUSH_TLB)
                    if was == state:
                        flush_is_left_to_the_host(v)
                    else:
                        v.arch.flush_ipi = True
            else:
                WRITE_ONCE(v.arch.flush_ipi, True)


# [New in arch:x86]
def flush_is_left_to_the_host(vcpu: ptr[kvm_vcpu]):
    """Ours: a place for properties: no IPI is sent to the vCPU, its TLB counts as flushed."""
    pass


# [New in arch:x86]
def guest_flush_tlb_func(vcpu: ptr[kvm_vcpu]):
    """In the guest: the IPI.

    Mirrors: flush_tlb_func(), arch/x86/mm/tlb.c, v6.12
    """
    with atomic:
        guest_invalidates(vcpu)
        vcpu.arch.flush_ipi = False


# [New in arch:x86]
def guest_looks_for_acks(vcpu: ptr[kvm_vcpu]):
    """In the guest: once nobody owes an answer, the page goes to another use.

    Mirrors: csd_lock_wait(), kernel/smp.c, v6.12
    """
    with atomic:
        waits = False
        for v in each(kvm_vcpu):
            if v.kvm == vcpu.kvm and v != vcpu and v.arch.flush_ipi:
                waits = True
        if not waits:
            vcpu.arch.flush_waits = False
            vcpu.kvm.unmapping = False

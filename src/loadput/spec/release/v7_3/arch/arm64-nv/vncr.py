"""VNCR_EL2 of the guest hypervisor's guest: a page of L1's that a CPU maps while that runs there.

Mirrors: arch/arm64/kvm/nested.c, v7.3. Only where a scenario sets guest_vncr.
Omits: what the page translates to; that a mapping is skipped where VNCR_EL2 has changed; mmu_lock
but for who writes: a reader's part is one step
"""

# The guest's guest is a hypervisor too: HCR_EL2.NV.
guest_vncr = False

KVM_REQ_MAP_L1_VNCR_EL2 = 3


class kvm(struct):
    mmu_lock_is_written: bool


# struct vncr_tlb: valid, cpu.
class kvm_vcpu_arch(struct):
    vncr_valid: bool
    vncr_cpu: cpu = -1


# vncr_fixmap() of a CPU; host_data's L1_VNCR_MAPPED.
hw_vncr: per_cpu[ptr[kvm_vcpu]]
l1_vncr_mapped: per_cpu[bool]


# [New in release:v7.3]
def lock_mmu(kvm: ptr[kvm]):
    """Ours: write_lock() of mmu_lock."""
    preempt_disable()
    with atomic:
        assume(not kvm.mmu_lock_is_written)
        kvm.mmu_lock_is_written = True


# [New in release:v7.3]
def unlock_mmu(kvm: ptr[kvm]):
    """Ours: write_unlock() of mmu_lock."""
    kvm.mmu_lock_is_written = False
    preempt_enable()


# [New in release:v7.3]
def clear_vncr_fixmap(c: cpu):
    """Mirrors: clear_fixmap(), include/asm-generic/fixmap.h, v7.3, with vncr_fixmap() of a CPU"""
    WRITE_ONCE(per_cpu(hw_vncr, c), NULL)


# [New in release:v7.3]
def unmap_l1_vncr(vcpu: ptr[kvm_vcpu]) -> cpu:
    """Mirrors: unmap_l1_vncr(), arch/arm64/kvm/nested.c, v7.3"""
    with atomic:
        c = READ_ONCE(vcpu.arch.vncr_cpu)
        WRITE_ONCE(vcpu.arch.vncr_cpu, -1)

    if c != -1:
        clear_vncr_fixmap(c)

    return c


# [New in release:v7.3]
def this_cpu_reset_vncr_fixmap(vcpu: ptr[kvm_vcpu]):
    """Mirrors: this_cpu_reset_vncr_fixmap(), arch/arm64/kvm/nested.c, v7.3; Context: preemption off"""
    if not guest_vncr:
        return
    if not this_cpu(l1_vncr_mapped):
        return

    WARN_ON(is_hyp_ctxt(vcpu))

    if unmap_l1_vncr(vcpu) == -1:
        clear_vncr_fixmap(smp_processor_id())
    this_cpu_write(l1_vncr_mapped, False)


# [New in release:v7.3]
def invalidate_vncr(vcpu: ptr[kvm_vcpu]):
    """Mirrors: invalidate_vncr(), arch/arm64/kvm/nested.c, v7.3; Context: mmu_lock held"""
    WRITE_ONCE(vcpu.arch.vncr_valid, False)
    unmap_l1_vncr(vcpu)


# [New in release:v7.3]
def kvm_map_l1_vncr(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_map_l1_vncr(), arch/arm64/kvm/nested.c, v7.3; Context: preemptible"""
    with atomic:
        assume(not vcpu.kvm.mmu_lock_is_written)
        if not is_hyp_ctxt(vcpu) and READ_ONCE(vcpu.arch.vncr_valid):
            WRITE_ONCE(vcpu.arch.vncr_cpu, smp_processor_id())
            this_cpu_write(hw_vncr, vcpu)
            this_cpu_write(l1_vncr_mapped, True)


# [New in release:v7.3]
def kvm_handle_vncr_abort(vcpu: ptr[kvm_vcpu]):
    """The guest's guest has touched its page, which was not mapped.

    Mirrors: kvm_handle_vncr_abort(), kvm_translate_vncr(), arch/arm64/kvm/nested.c, v7.3
    Context: preemptible
    Omits: a walk that fails; that it gives up where the tables changed meanwhile (mmu_invalidate_seq)
    """
    lock_mmu(vcpu.kvm)
    this_cpu_reset_vncr_fixmap(vcpu)
    if READ_ONCE(vcpu.arch.vncr_valid):
        invalidate_vncr(vcpu)
    unlock_mmu(vcpu.kvm)

    lock_mmu(vcpu.kvm)
    WRITE_ONCE(vcpu.arch.vncr_valid, True)
    WRITE_ONCE(vcpu.arch.vncr_cpu, -1)
    kvm_make_request(KVM_REQ_MAP_L1_VNCR_EL2, vcpu)
    unlock_mmu(vcpu.kvm)


# [New in release:v7.3]
def invalidate_vncr_va(vcpu: ptr[kvm_vcpu]):
    """A guest hypervisor's TLBI, or an MMU notifier's: every vCPU's of the VM.

    Mirrors: invalidate_vncr_va(), arch/arm64/kvm/nested.c, v7.3
    """
    lock_mmu(vcpu.kvm)
    for v in each(kvm_vcpu):
        if v.kvm == vcpu.kvm and READ_ONCE(v.arch.vncr_valid):
            invalidate_vncr(v)
    unlock_mmu(vcpu.kvm)


# [Modified in release:v7.3]
def kvm_vcpu_load_hw_mmu(vcpu: ptr[kvm_vcpu]):
    """A vCPU that has kept its stage 2 over the scheduler goes on with it.

    Mirrors: kvm_vcpu_load_hw_mmu(), arch/arm64/kvm/nested.c, v7.3
    """
    if is_hyp_ctxt(vcpu):
        if vcpu.arch.hw_mmu == NO_MMU:
            vcpu.arch.hw_mmu = CANONICAL_MMU
    else:
        if vcpu.arch.hw_mmu == NO_MMU:
            with atomic:
                vcpu.arch.hw_mmu = get_s2_mmu_nested(vcpu)

        if guest_vncr:
            kvm_make_request(KVM_REQ_MAP_L1_VNCR_EL2, vcpu)


# [Modified in release:v7.3]
def kvm_vcpu_put_hw_mmu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_put_hw_mmu(), arch/arm64/kvm/nested.c, v7.3"""
    this_cpu_reset_vncr_fixmap(vcpu)

    if vcpu.scheduled_out and not vcpu_get_flag(vcpu, IN_WFI):
        return

    if vcpu.arch.hw_mmu == NESTED_MMU:
        atomic_dec(vcpu.kvm.arch.nested_refcnt)

    vcpu.arch.hw_mmu = NO_MMU


# [Modified in release:v7.3]
def check_vcpu_requests(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: check_vcpu_requests(), arch/arm64/kvm/arm.c; check_nested_vcpu_requests(),
    arch/arm64/kvm/nested.c, v7.3

    Omits: steal time, GICv4, PMU, suspend, dirty ring, KVM_REQ_GUEST_HYP_IRQ_PENDING.
    KVM_REQ_VCPU_RESET is free: another vCPU may have made it at any time.
    """
    if kvm_check_request(KVM_REQ_SLEEP, vcpu):
        kvm_vcpu_sleep(vcpu)

    if guest_resets and choose():
        kvm_reset_vcpu(vcpu)

    if kvm_request_pending(vcpu):
        kvm_check_request(KVM_REQ_IRQ_PENDING, vcpu)

        if guest_vncr and kvm_check_request(KVM_REQ_MAP_L1_VNCR_EL2, vcpu):
            kvm_map_l1_vncr(vcpu)

    return 1

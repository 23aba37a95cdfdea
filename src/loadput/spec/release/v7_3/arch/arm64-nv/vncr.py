"""VNCR_EL2 of the guest hypervisor's guest: a page of L1's that a CPU maps while that runs there.

Mirrors: arch/arm64/kvm/nested.c, v7.3. Only where a scenario sets guest_vncr.
Omits: what the page translates to; that a mapping is skipped where VNCR_EL2 has changed; MMU notifiers;
mmu_lock but for who writes: a reader's part is one step
"""

# The guest's guest is a hypervisor too: HCR_EL2.NV.
guest_vncr = False

KVM_REQ_MAP_L1_VNCR_EL2 = 3

# What a walk returns: -EAGAIN; -EFAULT and its like.
VNCR_AGAIN = 1
VNCR_FAULT = 2


class kvm_arch(struct):
    vncr_tlb_count: upto[4]


# struct vncr_tlb: valid, cpu; whether kvm->mmu_invalidate_seq has moved since a walk read it.
class kvm_vcpu_arch(struct):
    vncr_valid: bool
    vncr_cpu: cpu = -1
    mmu_seq_is_old: bool


# vncr_fixmap() of a CPU; host_data's L1_VNCR_MAPPED.
hw_vncr: per_cpu[ptr[kvm_vcpu]]
l1_vncr_mapped: per_cpu[bool]


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
    atomic_dec(vcpu.kvm.arch.vncr_tlb_count)


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
def mmu_invalidate_retry(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: mmu_invalidate_retry(), include/linux/kvm_host.h, v7.3, of the vCPU's own mmu_seq"""
    return READ_ONCE(vcpu.arch.mmu_seq_is_old)


# [New in release:v7.3]
def walk_vncr(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest hypervisor's tables are read; whether they map the page is free.

    Mirrors: __kvm_translate_va(), arch/arm64/kvm/at.c, v7.3
    """
    return choose()


# [New in release:v7.3]
def kvm_translate_vncr(vcpu: ptr[kvm_vcpu]) -> upto[2]:
    """0, or why not: a walk that fails, a TLBI meanwhile.

    Mirrors: kvm_translate_vncr(), arch/arm64/kvm/nested.c, v7.3; Context: preemptible
    """
    lock_mmu(vcpu.kvm)
    this_cpu_reset_vncr_fixmap(vcpu)
    if READ_ONCE(vcpu.arch.vncr_valid):
        invalidate_vncr(vcpu)
    unlock_mmu(vcpu.kvm)

    WRITE_ONCE(vcpu.arch.mmu_seq_is_old, False)

    if not walk_vncr(vcpu):
        return VNCR_FAULT

    lock_mmu(vcpu.kvm)
    if mmu_invalidate_retry(vcpu):
        unlock_mmu(vcpu.kvm)
        return VNCR_AGAIN

    WRITE_ONCE(vcpu.arch.vncr_valid, True)
    WRITE_ONCE(vcpu.arch.vncr_cpu, -1)
    kvm_make_request(KVM_REQ_MAP_L1_VNCR_EL2, vcpu)
    unlock_mmu(vcpu.kvm)

    return 0


# [New in release:v7.3]
def kvm_handle_vncr_abort(vcpu: ptr[kvm_vcpu]):
    """The guest's guest has touched its page, which was not mapped.

    Mirrors: kvm_handle_vncr_abort(), arch/arm64/kvm/nested.c, v7.3
    Context: preemptible
    Omits: permission faults, which go to the guest hypervisor too; exits to user space
    """
    atomic_inc(vcpu.kvm.arch.vncr_tlb_count)

    ret = kvm_translate_vncr(vcpu)
    if ret:
        atomic_dec(vcpu.kvm.arch.vncr_tlb_count)

    if ret == VNCR_FAULT:
        kvm_inject_nested(vcpu)


# [New in release:v7.3]
def invalidate_vncr_va(vcpu: ptr[kvm_vcpu]):
    """Every vCPU's of the VM.

    Mirrors: invalidate_vncr_va(), arch/arm64/kvm/nested.c, v7.3; Context: mmu_lock held
    """
    with atomic:
        for v in each(kvm_vcpu):
            if v.kvm == vcpu.kvm:
                WRITE_ONCE(v.arch.mmu_seq_is_old, True)
    for v in each(kvm_vcpu):
        if v.kvm == vcpu.kvm and READ_ONCE(v.arch.vncr_valid):
            invalidate_vncr(v)


# [New in release:v7.3]
def kvm_hyp_handle_tlbi_el2(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest hypervisor's TLBI is done without an exit where nobody has a VNCR page, nor walks.

    Mirrors: kvm_hyp_handle_tlbi_el2(), arch/arm64/kvm/hyp/vhe/switch.c, v7.3
    """
    return atomic_read(vcpu.kvm.arch.vncr_tlb_count) == 0


# [New in release:v7.3]
def kvm_handle_s1e2_tlbi(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_handle_s1e2_tlbi(), arch/arm64/kvm/nested.c, v7.3"""
    if kvm_hyp_handle_tlbi_el2(vcpu):
        return
    lock_mmu(vcpu.kvm)
    invalidate_vncr_va(vcpu)
    unlock_mmu(vcpu.kvm)


# [Modified in release:v7.3]
def get_s2_mmu_nested(vcpu: ptr[kvm_vcpu]) -> upto[2]:
    """Mirrors: get_s2_mmu_nested(), arch/arm64/kvm/nested.c, v7.3; Context: mmu_lock held"""
    WARN_ON(vcpu.kvm.mmu_lock_is_written)
    atomic_inc(vcpu.kvm.arch.nested_refcnt)
    return NESTED_MMU


# [Modified in release:v7.3]
def kvm_vcpu_load_hw_mmu(vcpu: ptr[kvm_vcpu]):
    """A vCPU that has kept its stage 2 over the scheduler goes on with it. Another one is taken with
    mmu_lock written: once nobody has it, in one step.

    Mirrors: kvm_vcpu_load_hw_mmu(), arch/arm64/kvm/nested.c, v7.3
    """
    if is_hyp_ctxt(vcpu):
        if vcpu.arch.hw_mmu == NO_MMU:
            vcpu.arch.hw_mmu = CANONICAL_MMU
    else:
        if vcpu.arch.hw_mmu == NO_MMU:
            with atomic:
                assume(not vcpu.kvm.mmu_lock_is_written)
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

    Omits: steal time, PMU, suspend, dirty ring. KVM_REQ_VCPU_RESET and KVM_REQ_RELOAD_GICv4 are free:
    another vCPU may have made them at any time.
    """
    if kvm_check_request(KVM_REQ_SLEEP, vcpu):
        kvm_vcpu_sleep(vcpu)

    if guest_resets and choose():
        kvm_reset_vcpu(vcpu)

    if kvm_request_pending(vcpu):
        kvm_check_request(KVM_REQ_IRQ_PENDING, vcpu)

    if gicd_switches and choose():
        reload_gicv4(vcpu)

    if kvm_request_pending(vcpu):
        if guest_vncr and kvm_check_request(KVM_REQ_MAP_L1_VNCR_EL2, vcpu):
            kvm_map_l1_vncr(vcpu)

        if kvm_check_request(KVM_REQ_GUEST_HYP_IRQ_PENDING, vcpu):
            kvm_inject_nested_irq(vcpu)

    return 1

"""Requests, which take a vCPU out of SIE and wait until it is out.

Mirrors: arch/s390/kvm/kvm-s390.c, v6.12
"""

KVM_REQ_REFRESH_GUEST_PREFIX = 2

# Some thread is an unmapper(); a tod_setter().
prefix_unmaps = False
tod_sets = False


# The pages that hold the guest's prefix are mapped, with the bit in their PGSTE that has whoever
# unmaps them call the notifier: PGSTE_IN_BIT, v6.12; prefix_notif, v7.3.
class kvm_vcpu_arch(struct):
    prefix_notif: bool = True


# [New in arch:s390]
def kvm_s390_vcpu_request_handled(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_vcpu_request_handled(), arch/s390/kvm/kvm-s390.c, v6.12"""
    xchg(vcpu.arch.sie_block.request, False)


# [New in arch:s390]
def kvm_s390_handle_requests(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_handle_requests(), arch/s390/kvm/kvm-s390.c, v6.12; Omits: all but the prefix"""
    while True:
        kvm_s390_vcpu_request_handled(vcpu)
        if not kvm_request_pending(vcpu):
            return
        if kvm_check_request(KVM_REQ_REFRESH_GUEST_PREFIX, vcpu):
            kvm_s390_fixup_prefix(vcpu)


# [New in arch:s390]
def kvm_s390_fixup_prefix(vcpu: ptr[kvm_vcpu]):
    """The pages of the prefix are mapped again, behind the lock under which they are unmapped.

    Mirrors: gmap_mprotect_notify(), arch/s390/mm/gmap.c, v6.12;
    kvm_s390_fixup_prefix(), arch/s390/kvm/s390/s390.c; dat_set_prefix_notif_bit(),
    arch/s390/kvm/gmap/dat.c, v7.3
    Omits: what fails; that a page is gone again before it is marked
    """
    with atomic:
        assume(not vcpu.kvm.mmu_lock_is_written)
        vcpu.arch.prefix_notif = True


# [New in arch:s390]
def exit_sie(vcpu: ptr[kvm_vcpu]):
    """Take a vCPU out of SIE, and wait until it is out.

    Mirrors: exit_sie(), arch/s390/kvm/kvm-s390.c, v6.12; Omits: vSIE
    """
    xchg(vcpu.arch.sie_block.stop_int, True)
    await_until(not vcpu.arch.sie_block.in_sie)


# [New in arch:s390]
def kvm_s390_sync_request(req: upto[3], vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_sync_request(), kvm_s390_vcpu_request(), arch/s390/kvm/kvm-s390.c, v6.12"""
    kvm_make_request(req, vcpu)
    xchg(vcpu.arch.sie_block.request, True)
    exit_sie(vcpu)


# [New in arch:s390]
def unmap_prefix(vcpu: ptr[kvm_vcpu]):
    """The pages that hold the guest's prefix are unmapped once the vCPU is out of SIE.

    Mirrors: pgste_pte_notify(), arch/s390/mm/pgtable.c; kvm_gmap_notifier(),
    arch/s390/kvm/kvm-s390.c, v6.12; _gmap_ptep_xchg(), arch/s390/kvm/gmap/gmap.h;
    _gmap_unmap_prefix(), arch/s390/kvm/gmap/gmap.c, v7.3
    Context: mmu_lock, v7.3, which stands for the lock of the page table before
    Omits: the lock of the PGSTE: under that of the page table nobody else wants it
    """
    lock_mmu(vcpu.kvm)
    if vcpu.arch.prefix_notif:
        kvm_s390_sync_request(KVM_REQ_REFRESH_GUEST_PREFIX, vcpu)
        vcpu.arch.prefix_notif = False
    unlock_mmu(vcpu.kvm)


# [New in arch:s390]
def kvm_s390_vcpu_sie_inhibited(vcpu: ptr[kvm_vcpu]) -> bool:
    """Whether prog20 keeps the vCPU out of SIE: one load, as in the test right before SIE.

    Mirrors: kvm_s390_vcpu_sie_inhibited(), arch/s390/kvm/kvm-s390.c, v6.12
    """
    with atomic:
        return vcpu.arch.sie_block.request or vcpu.arch.sie_block.block


# [New in arch:s390]
def kvm_s390_vcpu_block(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_vcpu_block(), arch/s390/kvm/kvm-s390.c, v6.12"""
    xchg(vcpu.arch.sie_block.block, True)
    exit_sie(vcpu)


# [New in arch:s390]
def kvm_s390_vcpu_unblock(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_vcpu_unblock(), arch/s390/kvm/kvm-s390.c, v6.12"""
    xchg(vcpu.arch.sie_block.block, False)


# [New in arch:s390]
def kvm_s390_vcpu_block_all(kvm: ptr[kvm]):
    """No vCPU of the VM runs its guest from here to kvm_s390_vcpu_unblock_all().

    Mirrors: kvm_s390_vcpu_block_all(), arch/s390/kvm/kvm-s390.h, v6.12; Context: kvm->lock held
    """
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            kvm_s390_vcpu_block(vcpu)


# [New in arch:s390]
def kvm_s390_vcpu_unblock_all(kvm: ptr[kvm]):
    """Mirrors: kvm_s390_vcpu_unblock_all(), arch/s390/kvm/kvm-s390.h, v6.12"""
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            kvm_s390_vcpu_unblock(vcpu)


# [New in arch:s390]
def __kvm_s390_set_tod_clock(kvm: ptr[kvm]):
    """Mirrors: __kvm_s390_set_tod_clock(), arch/s390/kvm/kvm-s390.c, v6.12

    Context: kvm->lock held, which here nobody else wants
    Omits: what is set: the vCPUs' epochs, while none of them runs
    """
    preempt_disable()
    kvm_s390_vcpu_block_all(kvm)
    kvm_s390_vcpu_unblock_all(kvm)
    preempt_enable()


# [New in arch:s390]
@task
def unmapper():
    """Ours: a thread that unmaps, again and again, the pages that hold the other guests' prefixes."""
    while True:
        current.in_user_mode = False
        for vcpu in each(kvm_vcpu):
            if vcpu != current.vcpu:
                unmap_prefix(vcpu)
        exit_to_user_mode()


# [New in arch:s390]
@task
def tod_setter():
    """Ours: a thread that sets a VM's clock, again and again: KVM_SET_DEVICE_ATTR, KVM_S390_VM_TOD."""
    while True:
        current.in_user_mode = False
        __kvm_s390_set_tod_clock(choose_vm())
        exit_to_user_mode()

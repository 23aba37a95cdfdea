"""kvm->mmu_lock of who writes; a reader's part is one step, once nobody has it.

Mirrors: struct kvm, include/linux/kvm_host.h, v6.12. Only who unmaps something takes it.
"""


class kvm(struct):
    mmu_lock_is_written: bool


def lock_mmu(kvm: ptr[kvm]):
    """Ours: write_lock() of mmu_lock."""
    preempt_disable()
    with atomic:
        assume(not kvm.mmu_lock_is_written)
        kvm.mmu_lock_is_written = True


def unlock_mmu(kvm: ptr[kvm]):
    """Ours: write_unlock() of mmu_lock."""
    smp_store_release(kvm.mmu_lock_is_written, False)
    preempt_enable()

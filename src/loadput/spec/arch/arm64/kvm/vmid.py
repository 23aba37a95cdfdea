"""The VMID allocator.

Mirrors: arch/arm64/kvm/vmid.c, v6.12. A VMID's number is a token of its VM: a new number makes
every copy of the old one stale. Its generation is one bit, ``gen_match``.
"""


# [New in arch:arm64]
def kvm_arm_vmid_clear_active():
    """Mirrors: kvm_arm_vmid_clear_active(), arch/arm64/kvm/vmid.c, v6.12

    Context: preemption off
    """
    __this_cpu_write(active_vmids, VMID_ACTIVE_INVALID)


# [New in arch:arm64]
def check_update_reserved_vmid(kvm_vmid: ptr[kvm_vmid]) -> bool:
    """Mirrors: check_update_reserved_vmid(), arch/arm64/kvm/vmid.c, v6.12"""
    for c in each(cpu):
        if per_cpu(reserved_vmids, c) == VMID_ACTIVE_INVALID + kvm_vmid:
            return True
    return False


# [New in arch:arm64]
def new_vmid(kvm_vmid: ptr[kvm_vmid]):
    """A VMID of the current generation: the old number if it was kept or is free, else another.

    Mirrors: new_vmid(), arch/arm64/kvm/vmid.c, v6.12
    """
    kvm_vmid.gen_match = True
    if kvm_vmid.id:
        if check_update_reserved_vmid(kvm_vmid):
            return
        if choose():
            return
    fresh(kvm_vmid.id, kvm_vmid)


# [New in arch:arm64]
def kvm_arm_vmid_update(kvm_vmid: ptr[kvm_vmid]):
    """Mark the VM's VMID active on this CPU, after allocating one if need be.

    Mirrors: kvm_arm_vmid_update(), arch/arm64/kvm/vmid.c, v6.12
    Omits: the lock-free path; its cmpxchg makes it one step with a rollover, as the lock does
    """
    with atomic:
        if not kvm_vmid.gen_match:
            new_vmid(kvm_vmid)
        __this_cpu_write(active_vmids, VMID_ACTIVE_INVALID + kvm_vmid)


# [New in arch:arm64]
@irq
@env
def flush_context():
    """A VM that is not modelled finds the VMIDs used up: those that are active stay reserved.

    Mirrors: flush_context(), arch/arm64/kvm/vmid.c, v6.12
    """
    with atomic:
        assume(vmid_rollover)
        for c in each(cpu):
            if per_cpu(active_vmids, c) != VMID_ROLLED_OVER:
                WRITE_ONCE(per_cpu(reserved_vmids, c), per_cpu(active_vmids, c))
                WRITE_ONCE(per_cpu(active_vmids, c), VMID_ROLLED_OVER)
        for v in each(kvm_vmid):
            v.gen_match = False

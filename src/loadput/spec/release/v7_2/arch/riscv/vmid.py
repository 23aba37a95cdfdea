"""HGATP: the page table and the VMID of the VM.

Mirrors: arch/riscv/kvm/vmid.c, arch/riscv/kvm/mmu.c, arch/riscv/kvm/tlb.c, v7.2
"""

# Another VM uses the VMIDs up.
vmids_run_out = False
# The guest flushes with remote SFENCE.VMA.
guest_fences = False

# riscv has no KVM_REQ_EVENT.
KVM_REQ_UPDATE_HGATP = 0


class kvm(struct):
    vmid_is_old: bool
    hgatp: token[hgatp, vm] = own


vmid_lock: bool
vmid_lock_is_elsewhere: bool
# On its way to the CPU: an IPI to call __local_hfence_gvma_all().
vmid_ipi: per_cpu[bool]

# 0: no page table, which translates nothing.
hw_hgatp: per_cpu[token[hgatp, vm]]


# [New in release:v7.2]
def kvm_riscv_mmu_update_hgatp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_mmu_update_hgatp(), arch/riscv/kvm/mmu.c, v7.2"""
    this_cpu_write(hw_hgatp, vcpu.kvm.hgatp)


# [New in release:v7.2]
def kvm_riscv_gstage_vmid_ver_changed(kvm: ptr[kvm]) -> bool:
    """Mirrors: kvm_riscv_gstage_vmid_ver_changed(), arch/riscv/kvm/vmid.c, v7.2"""
    return READ_ONCE(kvm.vmid_is_old)


# [New in release:v7.2]
def kvm_riscv_gstage_vmid_update(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_gstage_vmid_update(), arch/riscv/kvm/vmid.c, v7.2

    Context: preemptible
    Omits: the number; whether it is the first of a new version is free
    """
    if not kvm_riscv_gstage_vmid_ver_changed(vcpu.kvm):
        return

    lock_vmids()

    if not kvm_riscv_gstage_vmid_ver_changed(vcpu.kvm):
        unlock_vmids()
        return

    if choose():
        with atomic:
            start_vmid_version()
            this_cpu_write(vmid_ipi, False)
            note_old_vmids()
            kvm_riscv_local_hfence_gvma_all()
        for c in each(cpu):
            await_until(not per_cpu(vmid_ipi, c))

    with atomic:
        fresh(vcpu.kvm.hgatp, vcpu.kvm)

    WRITE_ONCE(vcpu.kvm.vmid_is_old, False)

    unlock_vmids()

    for v in each(kvm_vcpu):
        if v.kvm == vcpu.kvm:
            kvm_make_request(KVM_REQ_UPDATE_HGATP, v)


# [New in release:v7.2]
def lock_vmids():
    """Ours: spin_lock() of vmid_lock."""
    preempt_disable()
    with atomic:
        assume(not vmid_lock)
        vmid_lock = True


# [New in release:v7.2]
def unlock_vmids():
    """Ours: spin_unlock() of vmid_lock."""
    smp_store_release(vmid_lock, False)
    preempt_enable()


# [New in release:v7.2]
def start_vmid_version():
    """Ours: no VM's VMID is of the new version, and every CPU is to flush its TLB.

    Mirrors: kvm_riscv_gstage_vmid_update() with vmid_next == 0, arch/riscv/kvm/vmid.c, v7.2
    Context: vmid_lock held
    """
    for v in each(kvm_vcpu):
        v.kvm.vmid_is_old = True
    for c in each(cpu):
        WRITE_ONCE(per_cpu(vmid_ipi, c), True)


# [New in release:v7.2]
def kvm_riscv_hfence_vvma_all_process(vcpu: ptr[kvm_vcpu]):
    """HFENCE.VVMA works on the VMID in HGATP, so HGATP has it, and no page table, for a while.

    Mirrors: kvm_riscv_hfence_vvma_all_process(), kvm_riscv_local_hfence_vvma_all(),
    arch/riscv/kvm/tlb.c, v7.2
    Context: preemptible; csr_swap() is one instruction
    Omits: what it flushes
    """
    with atomic:
        hgatp = this_cpu_read(hw_hgatp)
        this_cpu_write(hw_hgatp, 0)
    this_cpu_write(hw_hgatp, hgatp)


# [New in release:v7.2]
def kvm_riscv_local_hfence_gvma_all():
    """What this CPU has of every VM, with the VMIDs of the former version, is gone.

    Mirrors: kvm_riscv_local_hfence_gvma_all(), arch/riscv/kvm/tlb.c, v7.3
    """
    if gstage_unmaps:
        this_cpu_write(hw_gstage_tlb, 0)
        this_cpu_write(hw_gstage_tlb_is_old, False)
    if guest_maps:
        this_cpu_write(hw_vs_tlb, 0)


# [New in release:v7.2]
def note_old_vmids():
    """Ours: what this CPU has got has a VMID that may be another VM's once the IPIs are taken."""
    if gstage_unmaps and this_cpu(hw_gstage_tlb) != 0:
        this_cpu_write(hw_gstage_tlb_is_old, True)


# [New in release:v7.2]
@irq
def __local_hfence_gvma_all():
    """The IPI of a new version: the CPU has left its guest for it. Where another VM waits for it, that
    goes on to unlock.

    Mirrors: __local_hfence_gvma_all(), arch/riscv/kvm/vmid.c; on_each_cpu_mask() with wait,
    kernel/smp.c, v7.2
    """
    with atomic:
        assume(this_cpu(vmid_ipi))
        this_cpu_write(vmid_ipi, False)
        note_old_vmids()
        kvm_riscv_local_hfence_gvma_all()
        if vmid_lock_is_elsewhere and not is_vmid_ipi_sent():
            vmid_lock_is_elsewhere = False
            vmid_lock = False


# [New in release:v7.2]
def is_vmid_ipi_sent() -> bool:
    """Ours: whether some CPU has not taken its IPI yet."""
    for c in each(cpu):
        if per_cpu(vmid_ipi, c):
            return True
    return False


# [New in release:v7.2]
@irq
@env
def vmids_are_used_up():
    """Another VM, on a CPU that is not here, takes the last VMID: every VM needs a new one, and every
    CPU leaves its guest before somebody gets one.

    Mirrors: kvm_riscv_gstage_vmid_update() of that VM, arch/riscv/kvm/vmid.c, v7.2
    """
    with atomic:
        assume(vmids_run_out and not vmid_lock)
        vmid_lock = True
        vmid_lock_is_elsewhere = True
        start_vmid_version()

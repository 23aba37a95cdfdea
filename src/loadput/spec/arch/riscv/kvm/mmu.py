"""The G-stage page table: a page is unmapped, and goes to whoever asks for memory next.

Mirrors: arch/riscv/kvm/mmu.c, arch/riscv/kvm/tlb.c, v6.12. The page table of a VM is a token: whoever
holds an older translation of it is seen. A CPU's TLB has one slot. Only where a scenario sets
gstage_unmaps.
"""

# Some thread is an mmu_notifier_thread().
gstage_unmaps = False

# What is to be flushed is queued for each vCPU, and reset clears the queue.
hfence_queued = False

# As KVM_REQ_TLB_FLUSH; KVM_REQ_HFENCE is the same here.
KVM_REQ_HFENCE_GVMA_VMID_ALL = 2
# 64 in the kernel.
KVM_RISCV_VCPU_MAX_HFENCE = 2


class kvm(struct):
    pgd: ghost[token[gstage, vm]] = own
    # A PTE is cleared, and its page is not free yet.
    unmapping: bool


# An entry of the queue is its type. hfence_full: of the two requests it is the one that a full queue
# falls back on, KVM_REQ_TLB_FLUSH.
class kvm_vcpu_arch(struct):
    hfence_queue: array[bool, 2]
    hfence_head: upto[1]
    hfence_tail: upto[1]
    hfence_full: bool


hw_gstage_tlb: per_cpu[copy[token[gstage, vm]]]
# Its VMID has been given out again since.
hw_gstage_tlb_is_old: per_cpu[bool]


# [New in arch:riscv]
def kvm_riscv_local_hfence_gvma_vmid_all(kvm: ptr[kvm]):
    """Mirrors: kvm_riscv_local_hfence_gvma_vmid_all(), arch/riscv/kvm/tlb.c, v6.12, with the VM's VMID"""
    if gstage_unmaps:
        with atomic:
            if owner_of(this_cpu(hw_gstage_tlb)) == kvm:
                this_cpu_write(hw_gstage_tlb, 0)


# [New in arch:riscv]
def kvm_riscv_hfence_gvma_vmid_all_process(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_hfence_gvma_vmid_all_process(), arch/riscv/kvm/tlb.c, v6.12;
    kvm_riscv_tlb_flush_process(), arch/riscv/kvm/tlb.c, v7.3

    Context: preemptible
    """
    kvm_riscv_local_hfence_gvma_vmid_all(vcpu.kvm)


# [New in arch:riscv]
def vcpu_hfence_dequeue(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vcpu_hfence_dequeue(), arch/riscv/kvm/tlb.c, v6.12; Context: hfence_lock: one step"""
    with atomic:
        found = vcpu.arch.hfence_queue[vcpu.arch.hfence_head]
        if found:
            vcpu.arch.hfence_queue[vcpu.arch.hfence_head] = False
            vcpu.arch.hfence_head = (vcpu.arch.hfence_head + 1) % KVM_RISCV_VCPU_MAX_HFENCE
    return found


# [New in arch:riscv]
def vcpu_hfence_enqueue(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vcpu_hfence_enqueue(), arch/riscv/kvm/tlb.c, v6.12; Context: hfence_lock: one step"""
    with atomic:
        free = not vcpu.arch.hfence_queue[vcpu.arch.hfence_tail]
        if free:
            vcpu.arch.hfence_queue[vcpu.arch.hfence_tail] = True
            vcpu.arch.hfence_tail = (vcpu.arch.hfence_tail + 1) % KVM_RISCV_VCPU_MAX_HFENCE
    return free


# [New in arch:riscv]
def reset_hfence_queue(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_reset_vcpu() where it clears hfence_head, hfence_tail and hfence_queue,
    arch/riscv/kvm/vcpu.c, v6.12

    Context: preemption off; hfence_lock is not held
    """
    if hfence_queued:
        vcpu.arch.hfence_head = 0
        vcpu.arch.hfence_tail = 0
        for n in range(0, 2):
            vcpu.arch.hfence_queue[n] = False


# [New in arch:riscv]
def kvm_riscv_hfence_process(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_hfence_process(), arch/riscv/kvm/tlb.c; kvm_riscv_check_vcpu_requests() at
    KVM_REQ_HFENCE_GVMA_VMID_ALL, arch/riscv/kvm/vcpu.c, v6.12

    Omits: the ranges: each fence flushes all
    """
    if not hfence_queued:
        kvm_riscv_hfence_gvma_vmid_all_process(vcpu)
        return
    if vcpu.arch.hfence_full:
        vcpu.arch.hfence_full = False
        kvm_riscv_hfence_gvma_vmid_all_process(vcpu)
    while vcpu_hfence_dequeue(vcpu):
        kvm_riscv_local_hfence_gvma_vmid_all(vcpu.kvm)


# [New in arch:riscv]
def make_xfence_request(kvm: ptr[kvm]):
    """Mirrors: make_xfence_request(), arch/riscv/kvm/tlb.c, v6.12; Omits: the masks: each vCPU is asked"""
    if hfence_queued:
        for vcpu in each(kvm_vcpu):
            if vcpu.kvm == kvm and not vcpu_hfence_enqueue(vcpu):
                vcpu.arch.hfence_full = True
    kvm_make_all_cpus_request(kvm, KVM_REQ_HFENCE_GVMA_VMID_ALL)


# [New in arch:riscv]
def guest_walks_gstage(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest uses what the TLB has of its VM; where that is nothing, the CPU walks the page
    table and keeps what it finds.
    """
    if gstage_unmaps and owner_of(this_cpu(hw_gstage_tlb)) != vcpu.kvm:
        this_cpu_write(hw_gstage_tlb, token_of(vcpu.kvm))
        this_cpu_write(hw_gstage_tlb_is_old, False)


# [New in arch:riscv]
def kvm_unmap_gfn_range(kvm: ptr[kvm]):
    """The page is the host's again when this returns.

    Mirrors: kvm_unmap_gfn_range(), gstage_op_pte(), gstage_remote_tlb_flush(), arch/riscv/kvm/mmu.c,
    v6.12; kvm_riscv_gstage_unmap_range(),
    kvm_riscv_gstage_op_pte(), arch/riscv/kvm/gstage.c, v7.3
    Omits: mmu_lock, under which the guest gets no new mapping either
    """
    with atomic:
        fresh(kvm.pgd, kvm)
        kvm.unmapping = True
    make_xfence_request(kvm)
    kvm.unmapping = False


# [New in arch:riscv]
@task
def mmu_notifier_thread():
    """Ours: a thread that takes pages from a VM: madvise(2), KSM, migration.

    Mirrors: kvm_mmu_notifier_invalidate_range_start(), virt/kvm/kvm_main.c, v6.12
    """
    while True:
        current.in_user_mode = False
        kvm_unmap_gfn_range(choose_vm())
        exit_to_user_mode()


# [New in arch:riscv]
def choose_vm() -> ptr[kvm]:
    """Ours: any VM."""
    return choose(1, NR_VMS)

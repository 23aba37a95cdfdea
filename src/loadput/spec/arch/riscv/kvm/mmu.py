"""The G-stage page table: a page is unmapped, and goes to whoever asks for memory next.

Mirrors: arch/riscv/kvm/mmu.c, arch/riscv/kvm/tlb.c, v6.12. The page table of a VM is a token: whoever
holds an older translation of it is seen. A CPU's TLB has one slot. Only where a scenario sets
gstage_unmaps.
"""

# Some thread is an mmu_notifier_thread().
gstage_unmaps = False

# As KVM_REQ_TLB_FLUSH; KVM_REQ_HFENCE with its queue of ranges is the same here.
KVM_REQ_HFENCE_GVMA_VMID_ALL = 2


class kvm(struct):
    pgd: ghost[token[gstage, vm]] = own
    # A PTE is cleared, and its page is not free yet.
    unmapping: bool


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

    Mirrors: kvm_unmap_gfn_range(), gstage_op_pte(), gstage_remote_tlb_flush(), arch/riscv/kvm/mmu.c;
    make_xfence_request(), arch/riscv/kvm/tlb.c, v6.12; kvm_riscv_gstage_unmap_range(),
    kvm_riscv_gstage_op_pte(), arch/riscv/kvm/gstage.c, v7.3
    Omits: mmu_lock, under which the guest gets no new mapping either
    """
    with atomic:
        fresh(kvm.pgd, kvm)
        kvm.unmapping = True
    kvm_make_all_cpus_request(kvm, KVM_REQ_HFENCE_GVMA_VMID_ALL)
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

"""What a guest leaves in the TLB of a CPU.

Mirrors: arch/powerpc/kvm/book3s_hv.c, arch/powerpc/kvm/book3s_hv_p9_entry.c, v6.12. One slot a CPU:
the newest translation that a vCPU has put there. Only where a scenario sets guest_maps.
"""

# The guest changes its own page table, and flushes the CPU that it is on.
guest_maps = False


class kvm_vcpu_arch(struct):
    prev_cpu: cpu = -1
    page_table: ghost[token[translation, vcpu]] = own


# The CPU's bit of kvm->arch.need_tlb_flush; all vCPUs are of one VM.
need_tlb_flush: per_cpu[bool]
hw_tlb_lpid: per_cpu[copy[token[translation, vcpu]]]


# [New in arch:powerpc]
def kvmppc_prepare_radix_vcpu(vcpu: ptr[kvm_vcpu], pcpu: cpu):
    """Mirrors: kvmppc_prepare_radix_vcpu(), radix_flush_cpu(), arch/powerpc/kvm/book3s_hv.c, v6.12

    Omits: threads of a core; the IPI to a guest of the VM that runs there; do_migrate_away_vcpu()
    """
    if not guest_maps:
        return
    if vcpu.arch.prev_cpu != pcpu:
        if vcpu.arch.prev_cpu >= 0:
            WRITE_ONCE(per_cpu(need_tlb_flush, vcpu.arch.prev_cpu), True)
        vcpu.arch.prev_cpu = pcpu


# [New in arch:powerpc]
def check_need_tlb_flush(vcpu: ptr[kvm_vcpu]):
    """Mirrors: check_need_tlb_flush(), arch/powerpc/kvm/book3s_hv_p9_entry.c, v6.12"""
    if guest_maps and this_cpu(need_tlb_flush):
        this_cpu_write(hw_tlb_lpid, 0)
        this_cpu_write(need_tlb_flush, False)


# [New in arch:powerpc]
def guest_uses_memory(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest changes its page table with a local tlbiel, or does not; then it walks it."""
    if guest_maps:
        if choose():
            fresh(vcpu.arch.page_table, vcpu)
        this_cpu_write(hw_tlb_lpid, token_of(vcpu))

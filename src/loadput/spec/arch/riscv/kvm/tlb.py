"""What a guest leaves in the TLB of a CPU.

Mirrors: arch/riscv/kvm/tlb.c, v6.12. One slot a CPU: the newest translation that a vCPU has put
there; older ones of the same vCPU are stale, wherever they are. hfence.gvma flushes both stages, as
on most cores. Only where a scenario sets guest_maps; entries of the G-stage are in mmu.py.
"""

# The guest changes its own page table, and flushes the CPU that it is on.
guest_maps = False


class kvm_vcpu_arch(struct):
    last_exit_cpu: cpu = -1
    page_table: ghost[token[translation, vcpu]] = own


hw_vs_tlb: per_cpu[copy[token[translation, vcpu]]]


# [New in arch:riscv]
def kvm_riscv_local_tlb_sanitize(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_local_tlb_sanitize(), arch/riscv/kvm/tlb.c, v6.12

    Context: IRQs off
    Omits: a CPU without VMIDs, which flushes at every change of HGATP; translations of other VMs
    """
    if not guest_maps and not gstage_unmaps:
        return
    if vcpu.arch.last_exit_cpu == vcpu.cpu:
        return

    kvm_riscv_local_hfence_gvma_vmid_all(vcpu.kvm)
    if guest_maps:
        __this_cpu_write(hw_vs_tlb, 0)


# [New in arch:riscv]
def guest_uses_memory(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest changes its page table with SFENCE.VMA on this CPU, or does not; then it walks
    it."""
    if guest_maps:
        if choose():
            fresh(vcpu.arch.page_table, vcpu)
        __this_cpu_write(hw_vs_tlb, token_of(vcpu))
    guest_walks_gstage(vcpu)


# [New in arch:riscv]
def note_exit_cpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_enter_exit() where it sets last_exit_cpu, arch/riscv/kvm/vcpu.c, v6.12"""
    if guest_maps or gstage_unmaps:
        vcpu.arch.last_exit_cpu = vcpu.cpu


# [New in arch:riscv]
def forget_exit_cpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_reset_vcpu() where it sets last_exit_cpu, arch/riscv/kvm/vcpu.c, v6.12"""
    if guest_maps or gstage_unmaps:
        vcpu.arch.last_exit_cpu = -1

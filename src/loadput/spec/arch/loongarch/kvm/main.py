"""VPIDs, which tag what a guest leaves in the TLB of a CPU, and a CPU that comes up again.

Mirrors: arch/loongarch/kvm/main.c, v6.12. One slot a CPU: the newest translation that a vCPU has
put there under the VPID that it has there now. Only where a scenario sets guest_maps.
"""

# The guest changes its own page table, and flushes the CPU that it is on.
guest_maps = False


class kvm_vcpu_arch(struct):
    page_table: ghost[token[translation, vcpu]] = own


hw_gtlb: per_cpu[copy[token[translation, vcpu]]]


# [New in arch:loongarch]
def kvm_update_vpid(vcpu: ptr[kvm_vcpu]):
    """A VPID that nobody had on this CPU: what the vCPU left here is out of its reach.

    Mirrors: kvm_update_vpid(), arch/loongarch/kvm/main.c, v6.12
    Omits: versions: where VPIDs run out, all of the TLB is flushed and every vCPU gets a new one
    """
    if guest_maps and owner_of(this_cpu(hw_gtlb)) == vcpu:
        this_cpu_write(hw_gtlb, 0)


# [New in arch:loongarch]
def kvm_check_vpid(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_check_vpid(), arch/loongarch/kvm/main.c, v6.12

    Context: IRQs off, on the way to the guest
    Omits: versions; KVM_REQ_TLB_FLUSH_GPA
    """
    migrated = vcpu.cpu != smp_processor_id()
    if migrated:
        kvm_update_vpid(vcpu)
        vcpu.cpu = smp_processor_id()


# [New in arch:loongarch]
def guest_uses_memory(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest changes its page table and flushes this CPU, or does not; then it walks it."""
    if guest_maps:
        if choose():
            fresh(vcpu.arch.page_table, vcpu)
        this_cpu_write(hw_gtlb, token_of(vcpu))


# [Modified in arch:loongarch]
def kvm_arch_enable_virtualization_cpu():
    """A CPU that slept comes back without the guest's CSRs.

    Mirrors: kvm_arch_enable_virtualization_cpu(), arch/loongarch/kvm/main.c, v6.12
    Omits: GCFG, GSTAT, GTLBC, the TLB's flush
    """
    this_cpu_write(hw_gcsr, 0)
    this_cpu_write(hw_gintc, False)

    this_cpu_ptr(addr(vmcs)).last_vcpu = NULL

"""GSTAT gets a VPID where that changes, and is the guest's else.

Mirrors: arch/loongarch/kvm/main.c, v7.3
"""


# [Modified in release:v7.3]
def kvm_check_vpid(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_check_vpid(), arch/loongarch/kvm/main.c, v7.3

    Context: IRQs off, on the way to the guest
    Omits: versions; KVM_REQ_TLB_FLUSH_GPA; the LL bit
    """
    migrated = vcpu.cpu != smp_processor_id()
    if migrated:
        kvm_update_vpid(vcpu)
        vcpu.cpu = smp_processor_id()

        with atomic:
            fresh(this_cpu(hw_gstat), vcpu)


# [Modified in release:v7.3]
def kvm_arch_enable_virtualization_cpu():
    """A CPU that slept comes back without the guest's CSRs.

    Mirrors: kvm_arch_enable_virtualization_cpu(), arch/loongarch/kvm/main.c, v7.3
    Omits: GCFG, GTLBC, the TLB's flush
    """
    this_cpu_write(hw_gcsr, 0)
    this_cpu_write(hw_gintc, False)
    this_cpu_write(hw_gstat, 0)

    this_cpu_ptr(addr(vmcs)).last_vcpu = NULL

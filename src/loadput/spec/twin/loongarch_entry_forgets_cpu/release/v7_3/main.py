# [Modified in twin:loongarch_entry_forgets_cpu]
def kvm_check_vpid(vcpu: ptr[kvm_vcpu]):
    """As kvm_check_vpid(), arch/loongarch/kvm/main.c, without the store of vcpu->cpu."""
    migrated = vcpu.cpu != smp_processor_id()
    if migrated:
        kvm_update_vpid(vcpu)

        with atomic:
            fresh(this_cpu(hw_gstat), vcpu)

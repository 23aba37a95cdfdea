"""Drawn: wait."""


# [Modified in twin:fusing_mips_kvm_vz_vcpu_reenter_de55]
def kvm_vz_vcpu_reenter(vcpu: ptr[kvm_vcpu]):
    await_until(not smp_processor_id())
    kvm_vz_vcpu_load_tlb(vcpu, smp_processor_id())

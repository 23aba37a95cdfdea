# [Modified in twin:mips_load_forgets_cpu]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As kvm_arch_vcpu_load(), arch/mips/kvm/mmu.c, without the store of vcpu->cpu."""
    local_irq_save(flags)
    with atomic:
        kvm_vz_vcpu_load(vcpu, cpu)
    local_irq_restore(flags)

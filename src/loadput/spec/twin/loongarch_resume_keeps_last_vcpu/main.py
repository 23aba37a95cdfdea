# [Modified in twin:loongarch_resume_keeps_last_vcpu]
def kvm_arch_enable_virtualization_cpu():
    """As kvm_arch_enable_virtualization_cpu(), arch/loongarch/kvm/main.c, without last_vcpu."""
    this_cpu_write(hw_gcsr, 0)
    this_cpu_write(hw_gintc, False)

"""arch/loongarch/kvm/main.c, as it was."""


# [Modified in museum:loongarch-resume-csr]
def kvm_arch_enable_virtualization_cpu():
    """As kvm_arch_enable_virtualization_cpu(), arch/loongarch/kvm/main.c, without last_vcpu."""
    this_cpu_write(hw_gcsr, 0)
    this_cpu_write(hw_gintc, False)

# [Modified in twin:offline_keeps_vmcs]
def kvm_x86_disable_virtualization_cpu():
    """Nothing is cleared."""
    pass

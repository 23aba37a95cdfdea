# [Modified in twin:arm64_put_keeps_mdcr]
def kvm_vcpu_put_debug(vcpu: ptr[kvm_vcpu]):
    """It forgets what it had saved."""
    this_cpu_write(host_debug_mdcr, 0)

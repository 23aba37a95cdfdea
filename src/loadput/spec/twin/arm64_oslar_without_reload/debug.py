# The guest has debug registers.
guest_debugs = True


# [Modified in twin:arm64_oslar_without_reload]
def kvm_debug_handle_oslar(vcpu: ptr[kvm_vcpu], val: bool):
    """In memory alone."""
    vcpu.arch.os_lock = val

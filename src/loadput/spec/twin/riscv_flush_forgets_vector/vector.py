uses_vector = True


# [Modified in twin:riscv_flush_forgets_vector]
def kvm_riscv_vcpu_flush_vector():
    """No RISCV_V_VCPU_NEED_RESTORE."""
    vcpu = this_cpu(kvm_running_vcpu)
    if WARN_ON_ONCE(not vcpu):
        return

    kvm_riscv_vcpu_guest_vector_save(vcpu)

"""arch/riscv/kvm/tlb.c, as it was."""


# [Modified in museum:riscv-vs-tlb-migration]
def kvm_riscv_local_tlb_sanitize(vcpu: ptr[kvm_vcpu]):
    """There was none."""
    pass

"""arch/x86/kvm, broken."""


# [Modified in twin:xfeatures_swapped]
def kvm_load_xfeatures(vcpu: ptr[kvm_vcpu], load_guest: bool):
    """As kvm_load_xfeatures(), turned round."""
    this_cpu_write(hw_xcr0, not load_guest)

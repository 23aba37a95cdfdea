"""vmx_vcpu_run(), arch/x86/kvm/vmx/vmx.c, as it was."""


class kvm_vcpu_arch(struct):
    cr4_pke: bool


# [Modified in museum:x86-pkru-cr4]
def kvm_load_guest_pkru(vcpu: ptr[kvm_vcpu]):
    """Where the guest has not set CR4.PKE, which it may or not, the host's stays in."""
    if guest_xstate:
        vcpu.arch.cr4_pke = choose()
        if vcpu.arch.cr4_pke:
            this_cpu_write(hw_pkru, NULL)


# [Modified in museum:x86-pkru-cr4]
def kvm_load_host_pkru(vcpu: ptr[kvm_vcpu]):
    """As the load."""
    if guest_xstate and vcpu.arch.cr4_pke:
        vcpu.arch.cr4_pke = False
        this_cpu_write(hw_pkru, vcpu.arch.host_pkru)

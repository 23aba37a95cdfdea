"""One more direct caller on v7.3.

Mirrors: arch/arm64/kvm/debug.c, v7.3, with the call that the cover letter has in words
"""


# [Modified in design:B-inner]
def kvm_debug_handle_oslar(vcpu: ptr[kvm_vcpu], val: bool):
    """A direct caller takes the helper.

    Mirrors: kvm_debug_handle_oslar(), arch/arm64/kvm/debug.c, v7.3
    """
    vcpu.arch.os_lock = val

    preempt_disable()
    kvm_arch_vcpu_put(vcpu)
    __kvm_arch_vcpu_load(vcpu, smp_processor_id())
    preempt_enable()

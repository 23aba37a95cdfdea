"""arch/x86/kvm/x86.c, as it was."""


# [Modified in museum:x86-debugctl-snapshot]
def snapshot_host_debugctl(vcpu: ptr[kvm_vcpu]):
    """Not on the way into the guest."""
    pass


# [Modified in museum:x86-debugctl-snapshot]
def kvm_x86_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """kvm_arch_vcpu_load() took the snapshot, around here."""
    vmx_vcpu_load(vcpu, cpu)
    vcpu.arch.host_debugctl = this_cpu(hw_debugctl)

"""arch/x86/kvm/x86.c, asking for KVM_REQ_STEAL_UPDATE only where the CPU has changed."""


# [Modified in twin:no_steal_update]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As kvm_arch_vcpu_load(), with the request moved into the test of the CPU."""
    vcpu.arch.l1tf_flush_l1d = True

    kvm_x86_vcpu_load(vcpu, cpu)

    if vcpu.cpu != cpu:
        vcpu.cpu = cpu
        kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

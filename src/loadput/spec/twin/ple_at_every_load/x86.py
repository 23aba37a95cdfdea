"""arch/x86/kvm/x86.c, shrinking the PLE window at every load."""


# [Modified in twin:ple_at_every_load]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As kvm_arch_vcpu_load(), with the PLE window shrunk whoever loads."""
    vcpu.arch.l1tf_flush_l1d = True

    if not vcpu.scheduled_out:
        shrink_ple_window(vcpu)

    kvm_x86_vcpu_load(vcpu, cpu)

    if vcpu.cpu != cpu:
        vcpu.cpu = cpu

    if vcpu.steal_time:
        kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

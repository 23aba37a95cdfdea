"""DEBUGCTL on SVM: without LBR virtualization KVM switches it, between CLGI and STGI.

Mirrors: arch/x86/kvm/svm/svm.c, v6.12.y. The guest's own is 0.
"""


# [New in arch:svm]
def load_guest_debugctl(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_run() where it loads the guest's DEBUGCTL, arch/x86/kvm/svm/svm.c, v6.12.y"""
    if host_perf and vcpu.arch.host_debugctl != 0:
        this_cpu_write(hw_debugctl, 0)


# [New in arch:svm]
def load_host_debugctl(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_run() where it restores DEBUGCTL, arch/x86/kvm/svm/svm.c, v6.12.y"""
    if host_perf and vcpu.arch.host_debugctl != 0:
        this_cpu_write(hw_debugctl, vcpu.arch.host_debugctl)

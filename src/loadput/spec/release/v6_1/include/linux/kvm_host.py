"""What user space asks for in the page that it shares with KVM_RUN.

Mirrors: struct kvm_run, include/uapi/linux/kvm.h, v6.1
Omits: that user space may change it during the run
"""


class kvm_run(struct, per="vcpu"):
    immediate_exit: bool


class kvm_vcpu(struct):
    run: embed[kvm_run]

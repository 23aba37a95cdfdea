"""DEBUGCTL on VMX: a VM-exit clears it.

Mirrors: arch/x86/kvm/vmx/vmx.c, v6.12
"""


# [New in arch:vmx]
def vm_exit_clears_debugctl():
    """Ours: what the hardware does at a VM-exit.

    Source: Intel SDM volume 3, loading MSRs at VM exits
    """
    if host_perf:
        this_cpu_write(hw_debugctl, 0)


# [New in arch:vmx]
def restore_host_debugctl(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_vcpu_run() where it restores DEBUGCTL, arch/x86/kvm/vmx/vmx.c, v6.12"""
    if host_perf and vcpu.arch.host_debugctl:
        this_cpu_write(hw_debugctl, vcpu.arch.host_debugctl)

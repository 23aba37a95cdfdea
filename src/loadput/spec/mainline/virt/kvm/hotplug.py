"""What KVM does on a CPU that goes offline or comes back.

Mirrors: virt/kvm/kvm_main.c, v6.12, with CONFIG_KVM_GENERIC_HARDWARE_ENABLING
"""


def kvm_offline_cpu():
    """Mirrors: kvm_offline_cpu(), kvm_disable_virtualization_cpu(), virt/kvm/kvm_main.c, v6.12

    Omits: a CPU on which virtualization is not enabled
    """
    kvm_arch_disable_virtualization_cpu()


def kvm_online_cpu():
    """Mirrors: kvm_online_cpu(), kvm_enable_virtualization_cpu(), virt/kvm/kvm_main.c, v6.12

    Omits: failure
    """
    kvm_arch_enable_virtualization_cpu()


def kvm_arch_disable_virtualization_cpu():
    """Each architecture has its own.

    Mirrors: kvm_arch_disable_virtualization_cpu() of each architecture, v6.12
    """
    pass


def kvm_arch_enable_virtualization_cpu():
    """Each architecture has its own.

    Mirrors: kvm_arch_enable_virtualization_cpu() of each architecture, v6.12
    """
    pass

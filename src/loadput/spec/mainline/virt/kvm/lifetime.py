"""A VM's beginning and end. Only where a scenario has a vmm_thread.

Mirrors: virt/kvm/kvm_main.c, v6.12. A vCPU that is destroyed and created again is another one that
has its number.
"""

# VMs end, and their memory goes to others: properties about that are asked.
vm_lifetime = False


@task
def vmm_thread():
    """Ours: a VMM that makes a VM with one vCPU, issues KVM_RUN, ends, and begins again.

    Omits: what others do to a vCPU, devices and spinning neighbours: they would have to ask whether
    it is there
    """
    vcpu = current.vcpu
    while True:
        current.in_user_mode = False
        kvm_vm_ioctl_create_vcpu(vcpu)
        exit_to_user_mode()
        while choose():
            current.in_user_mode = False
            kvm_vcpu_ioctl_run(vcpu)
            exit_to_user_mode()
        current.in_user_mode = False
        kvm_destroy_vm(vcpu)
        exit_to_user_mode()


def kvm_vm_ioctl_create_vcpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vm_ioctl_create_vcpu(), kvm_vcpu_init(), virt/kvm/kvm_main.c, v6.12

    Omits: failure; kvm_arch_vcpu_postcreate(), which on x86 loads and puts the vCPU once more
    """
    vcpu_memory_is_zeroed(vcpu)
    vcpu.cpu = -1
    kvm_arch_vcpu_create(vcpu)


def vcpu_memory_is_zeroed(vcpu: ptr[kvm_vcpu]):
    """Nothing is left of the vCPU that had the number before. Each architecture adds what is its own.

    Mirrors: kvm_vm_ioctl_create_vcpu() where it allocates, virt/kvm/kvm_main.c, v6.12
    Omits: what is 0 whenever a vCPU ends: its mode, wants_to_run, the wait, what the notifiers set
    """
    for req in range(0, 4):
        vcpu.requests[req] = False
    vcpu.arch.halted = False
    vcpu.irq_pending = False
    vcpu.pid = NULL


def kvm_destroy_vm(vcpu: ptr[kvm_vcpu]):
    """The last reference to the VM is gone: it has one vCPU.

    Mirrors: kvm_destroy_vm(), kvm_destroy_vcpus(), kvm_vcpu_destroy(), virt/kvm/kvm_main.c, v6.12
    Context: a task, preemptible, no vCPU loaded
    """
    kvm_arch_destroy_vm(vcpu)
    kvm_arch_vcpu_destroy(vcpu)
    vcpu.cpu = -1


def kvm_arch_vcpu_create(vcpu: ptr[kvm_vcpu]):
    """Each architecture has its own.

    Mirrors: kvm_arch_vcpu_create(), arch/x86/kvm/x86.c, and its like, v6.12
    """
    pass


def kvm_arch_destroy_vm(vcpu: ptr[kvm_vcpu]):
    """Each architecture has its own: what it does before the vCPUs are destroyed.

    Mirrors: kvm_arch_destroy_vm(), arch/x86/kvm/x86.c, and its like, v6.12
    """
    pass


def kvm_arch_vcpu_destroy(vcpu: ptr[kvm_vcpu]):
    """Each architecture has its own.

    Mirrors: kvm_arch_vcpu_destroy(), arch/x86/kvm/x86.c, and its like, v6.12
    """
    pass


def vcpu_memory_is_freed(vcpu: ptr[kvm_vcpu]):
    """Ours: a place for properties: what the vCPU had goes to whoever asks for memory next."""
    pass


def cpu_remembers(c: cpu, vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: whether CPU ``c`` points to what the vCPU has; each architecture adds its own."""
    return per_cpu(kvm_running_vcpu, c) == vcpu


def is_out_of_memory() -> bool:
    """Ours: whether who asks for memory has to wait; each architecture adds what it counts."""
    return False

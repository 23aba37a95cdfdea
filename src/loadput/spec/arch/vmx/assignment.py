"""A device that is assigned to a VM while its vCPUs run or wait.

Mirrors: arch/x86/kvm/x86.c, arch/x86/kvm/vmx/posted_intr.c, v6.12. Where a scenario does not set
device_assignment, vtd_posting alone says whether there is a device.
"""

# A device is assigned while vCPUs run or wait.
device_assignment = False


class kvm(struct):
    # assigned_device_count is not 0; the IOMMU's entry for the device's interrupt posts.
    assigned_device: bool
    irte_posted: bool


# [New in arch:vmx]
def kvm_arch_has_assigned_device(kvm: ptr[kvm]) -> bool:
    """Mirrors: kvm_arch_has_assigned_device(), arch/x86/kvm/x86.c, v6.12"""
    return vtd_posting != 0 and (not device_assignment or READ_ONCE(kvm.assigned_device))


# [New in arch:vmx]
def vmx_pi_start_assignment(kvm: ptr[kvm]):
    """A vCPU that has blocked without the wakeup handler begins anew.

    Mirrors: vmx_pi_start_assignment(), arch/x86/kvm/vmx/posted_intr.c;
    kvm_make_all_cpus_request(), virt/kvm/kvm_main.c, v6.12
    """
    me = get_cpu()
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            kvm_make_vcpu_request(vcpu, KVM_REQ_UNBLOCK, me)
    put_cpu()


# [New in arch:vmx]
def kvm_arch_irq_bypass_add_producer(kvm: ptr[kvm]):
    """Mirrors: kvm_arch_irq_bypass_add_producer(), kvm_arch_start_assignment(), arch/x86/kvm/x86.c;
    vmx_pi_update_irte(), arch/x86/kvm/vmx/posted_intr.c, v6.12
    """
    WRITE_ONCE(kvm.assigned_device, True)
    vmx_pi_start_assignment(kvm)

    WRITE_ONCE(kvm.irte_posted, True)


# [New in arch:vmx]
@task
def assignment_thread():
    """Ours: a VMM's thread that gives its VM a device and then sleeps in the kernel for ever."""
    current.in_user_mode = False
    vcpu = choose_vcpu()
    kvm_arch_irq_bypass_add_producer(vcpu.kvm)
    while True:
        set_current_state(TASK_INTERRUPTIBLE)
        schedule()

"""The pages that a vCPU's VMCBs are in: who has them, and which CPUs remember them.

Mirrors: arch/x86/kvm/svm/svm.c, v6.12. A struct vmcb is a page; the allocator hands out the first
``vmcb_pages`` of them. Only where a scenario has a vmm_thread.
"""

# How many pages the allocator has for VMCBs, where a scenario has a vmm_thread.
vmcb_pages: setting[between[1, 4]] = 1


class vmcb(struct):
    allocated: bool


class vcpu_svm(struct):
    vmcb01: ptr[vmcb] = own
    vmcb02: ptr[vmcb]


# [New in arch:svm]
def snp_safe_alloc_page() -> ptr[vmcb]:
    """Any page that is free; where none is, the caller waits, as user space tries again.

    Mirrors: snp_safe_alloc_page(), arch/x86/kvm/svm/svm.h, v6.12
    """
    with atomic:
        page = choose_page()
        assume(not page.allocated)
        page.allocated = True
    return page


# [New in arch:svm]
def choose_page() -> ptr[vmcb]:
    """Ours: any page that the allocator has."""
    return choose(1, vmcb_pages)


# [Modified in arch:svm]
def is_out_of_memory() -> bool:
    """Ours: no page for a VMCB is free. Only a scenario with a vmm_thread counts them."""
    if not vm_lifetime:
        return False
    for page in each(vmcb):
        if page <= vmcb_pages and not page.allocated:
            return False
    return True


# [New in arch:svm]
def __free_page(page: ptr[vmcb]):
    """Mirrors: __free_page(), include/linux/gfp.h, v6.12"""
    page.allocated = False


# [Modified in arch:svm]
def kvm_x86_vcpu_create(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_create(), arch/x86/kvm/svm/svm.c, v6.12; Omits: all but the VMCB's page"""
    svm = to_svm(vcpu)
    svm.vmcb01 = snp_safe_alloc_page()
    svm_switch_vmcb(svm, VMCB01)
    svm.guest_state_loaded = False
    if asids:
        init_vmcb(svm)


# [New in arch:svm]
def init_vmcb(svm: ptr[vcpu_svm]):
    """Mirrors: init_vmcb(), arch/x86/kvm/svm/svm.c, v6.12

    Omits: all but the ASID; VMCB02's is as it is made: without one of any generation. That the CPU of
    both is 0 at first, which says nothing without a generation: here it is none
    """
    svm.asid = 0
    for nr in range(2):
        svm.vmcb_cpu[nr] = -1
        svm.asid_generation[nr] = 0
        svm.tlb_ctl[nr] = TLB_CONTROL_DO_NOTHING
        svm.vmcb_clean[nr] = False


# [New in arch:svm]
def svm_allocate_nested(svm: ptr[vcpu_svm]):
    """Mirrors: svm_allocate_nested(), arch/x86/kvm/svm/nested.c, v6.12

    Omits: that it is the guest's write of EFER.SVME, before its first VMRUN, that asks for it
    """
    if svm.vmcb02:
        return

    svm.vmcb02 = snp_safe_alloc_page()


# [New in arch:svm]
def svm_free_nested(svm: ptr[vcpu_svm]):
    """Mirrors: svm_free_nested(), arch/x86/kvm/svm/nested.c, v6.12; Omits: the MSR bitmap"""
    if not svm.vmcb02:
        return

    __free_page(svm.vmcb02)
    svm.vmcb02 = NULL


# [New in arch:svm]
def svm_clear_current_vmcb(vmcb: ptr[vmcb]):
    """Mirrors: svm_clear_current_vmcb(), arch/x86/kvm/svm/svm.c, v6.12.y, Linux commit 1bee4838eb3a
    ("KVM: SVM: Clear current_vmcb during vCPU free for all *possible* CPUs")
    """
    for i in each(cpu):
        with atomic:
            sd = per_cpu_ptr(addr(svm_data), i)
            if sd.current_vmcb == vmcb:
                sd.current_vmcb = NULL


# [New in arch:svm]
def svm_vcpu_free(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_free(), arch/x86/kvm/svm/svm.c, v6.12

    Omits: SEV, the MSR bitmap
    """
    svm = to_svm(vcpu)

    svm_clear_current_vmcb(svm.vmcb)

    vcpu_memory_is_freed(vcpu)
    if nested:
        svm_leave_nested(vcpu)
        svm_free_nested(svm)

    __free_page(svm.vmcb01)


# [Modified in arch:svm]
def kvm_x86_vcpu_free(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_x86_ops.vcpu_free, arch/x86/kvm/svm/svm.c, v6.12"""
    svm_vcpu_free(vcpu)


# [Modified in arch:svm]
def cpu_remembers(c: cpu, vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: whether CPU ``c`` points to the vCPU, or takes a VMCB of it for the current one."""
    svm = to_svm(vcpu)
    slot = per_cpu_ptr(addr(svm_data), c).current_vmcb
    is_ours = slot != NULL and (slot == svm.vmcb01 or slot == svm.vmcb02)
    return per_cpu(kvm_running_vcpu, c) == vcpu or is_ours

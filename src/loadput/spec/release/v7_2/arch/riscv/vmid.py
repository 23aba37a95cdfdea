"""HGATP: the page table and the VMID of the VM.

Mirrors: arch/riscv/kvm/vmid.c, arch/riscv/kvm/mmu.c, arch/riscv/kvm/tlb.c, v7.2
"""

# Another VM uses the VMIDs up.
vmids_run_out = False
# The guest flushes with remote SFENCE.VMA.
guest_fences = False


class kvm(struct):
    vmid_is_old: bool
    hgatp: token[hgatp, vm] = own


class kvm_vcpu_arch(struct):
    update_hgatp: bool


# 0: no page table, which translates nothing.
hw_hgatp: per_cpu[token[hgatp, vm]]


# [New in release:v7.2]
def kvm_riscv_mmu_update_hgatp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_mmu_update_hgatp(), arch/riscv/kvm/mmu.c, v7.2"""
    this_cpu_write(hw_hgatp, vcpu.kvm.hgatp)


# [New in release:v7.2]
def kvm_riscv_gstage_vmid_ver_changed(kvm: ptr[kvm]) -> bool:
    """Mirrors: kvm_riscv_gstage_vmid_ver_changed(), arch/riscv/kvm/vmid.c, v7.2"""
    return READ_ONCE(kvm.vmid_is_old)


# [New in release:v7.2]
def kvm_riscv_gstage_vmid_update(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_gstage_vmid_update(), arch/riscv/kvm/vmid.c, v7.2

    Context: preemptible
    Omits: vmid_lock, under which the VM gets its VMID in one step here
    """
    if not kvm_riscv_gstage_vmid_ver_changed(vcpu.kvm):
        return
    with atomic:
        if vcpu.kvm.vmid_is_old:
            fresh(vcpu.kvm.hgatp, vcpu.kvm)
            vcpu.kvm.vmid_is_old = False
    for v in each(kvm_vcpu):
        if v.kvm == vcpu.kvm:
            v.arch.update_hgatp = True


# [New in release:v7.2]
def kvm_riscv_hfence_vvma_all_process(vcpu: ptr[kvm_vcpu]):
    """HFENCE.VVMA works on the VMID in HGATP, so HGATP has it, and no page table, for a while.

    Mirrors: kvm_riscv_hfence_vvma_all_process(), kvm_riscv_local_hfence_vvma_all(),
    arch/riscv/kvm/tlb.c, v7.2
    Context: preemptible
    Omits: what it flushes
    """
    hgatp = this_cpu_read(hw_hgatp)
    this_cpu_write(hw_hgatp, 0)
    this_cpu_write(hw_hgatp, hgatp)


# [New in release:v7.2]
@irq
@env
def vmids_are_used_up():
    """Another VM takes the last VMID: every VM needs a new one. Every CPU leaves its guest for it.

    Mirrors: kvm_riscv_gstage_vmid_update() of that VM, arch/riscv/kvm/vmid.c, v7.2
    """
    with atomic:
        assume(vmids_run_out)
        vcpu = choose_vcpu()
        assume(not vcpu.kvm.vmid_is_old)
        vcpu.kvm.vmid_is_old = True

vmids_run_out = True
gstage_unmaps = True


# [Modified in twin:riscv_vmid_ipi_keeps_tlb]
@irq
def __local_hfence_gvma_all():
    """The CPU keeps what it has."""
    with atomic:
        assume(this_cpu(vmid_ipi))
        this_cpu_write(vmid_ipi, False)
        note_old_vmids()
        if vmid_lock_is_elsewhere and not is_vmid_ipi_sent():
            vmid_lock_is_elsewhere = False
            vmid_lock = False

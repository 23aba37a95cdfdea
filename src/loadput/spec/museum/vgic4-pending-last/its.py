"""drivers/irqchip/irq-gic-v3-its.c, as it was."""


# [Modified in museum:vgic4-pending-last]
def its_vpe_4_1_deschedule(vpe: ptr[its_vpe], req_db: bool):
    """Without vpe_lock: the doorbell may come between the redistributor's answer and its note."""
    with atomic:
        this_cpu_write(hw_vpendbaser, NULL)
        pending = vpe.vlpi_pending
        if req_db:
            vpe.doorbell = not pending
    if req_db:
        WRITE_ONCE(vpe.pending_last, pending)
    else:
        WRITE_ONCE(vpe.pending_last, True)

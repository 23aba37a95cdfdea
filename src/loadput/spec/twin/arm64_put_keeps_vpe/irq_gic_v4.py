# [Modified in twin:arm64_put_keeps_vpe]
def its_make_vpe_non_resident(vpe: ptr[its_vpe], db: bool):
    """The redistributor keeps the vPE."""
    WARN_ON(preempt_count() == 0 and not irqs_disabled())
    vpe.resident = False

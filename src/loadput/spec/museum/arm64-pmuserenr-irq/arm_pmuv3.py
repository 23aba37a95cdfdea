"""drivers/perf/arm_pmuv3.c, as it was."""


# [Modified in museum:arm64-pmuserenr-irq]
def update_pmuserenr(val: upto[1]):
    """KVM is not asked."""
    this_cpu_write(hw_pmuserenr, val)

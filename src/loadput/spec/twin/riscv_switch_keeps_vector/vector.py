uses_vector = True
preemptive_vector = True


# [Modified in twin:riscv_switch_keeps_vector]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """FP alone."""
    fstate_save(prev)
    fstate_restore(next)

"""What a list promises those who walk it."""


@property_(
    source="lib/list_debug.c __list_add_valid_or_report(), __list_del_entry_valid_or_report(), v6.12",
    twin="pi_list_kept",
    where="enable_apicv, cpu_hotplug",
)
@at_entry(list_add)
def LIST_ADD(on: cpu) -> bool:
    """What joins a CPU's list is on none yet."""
    return on == -1


@property_(
    source="lib/list_debug.c __list_add_valid_or_report(), __list_del_entry_valid_or_report(), v6.12",
    twin="pi_list_of_this_cpu",
    where="enable_apicv, cpu_hotplug",
)
@at_entry(list_del)
def LIST_DEL(on: cpu, list: cpu) -> bool:
    """What is taken off a CPU's list is on that list."""
    return on == list

"""CPUs that are there.

Mirrors: include/linux/cpumask.h, v6.12
"""


def cpu_online(cpu: cpu) -> bool:
    """Mirrors: cpu_online(), include/linux/cpumask.h, v6.12; every CPU is, without cpu_hotplug"""
    return not cpu_hotplug or per_cpu(cpu_is_online, cpu)

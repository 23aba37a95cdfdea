"""CPUs that are there.

Mirrors: include/linux/cpumask.h, v6.12
"""


def cpu_online(cpu: cpu) -> bool:
    """Mirrors: cpu_online(), include/linux/cpumask.h, v6.12: no CPU goes offline here."""
    return True

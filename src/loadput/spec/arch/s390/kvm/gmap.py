"""The address space that a CPU uses for the guest.

Mirrors: arch/s390/mm/gmap.c, v6.12
"""


# [New in arch:s390]
def gmap_enable(gmap: ptr[kvm]):
    """Mirrors: gmap_enable(), arch/s390/mm/gmap.c, v6.12"""
    this_cpu_write(lowcore_gmap, token_of(gmap))


# [New in arch:s390]
def gmap_disable(gmap: ptr[kvm]):
    """Mirrors: gmap_disable(), arch/s390/mm/gmap.c, v6.12"""
    this_cpu_write(lowcore_gmap, NULL)


# [New in arch:s390]
def gmap_get_enabled() -> ptr[kvm]:
    """Mirrors: gmap_get_enabled(), arch/s390/mm/gmap.c, v6.12"""
    return owner_of(this_cpu_read(lowcore_gmap))

"""s390: SIE runs with interrupts and preemption on; the gmap is the CPU's from load to put.

arch/s390/kvm, arch/s390/mm/gmap.c, v6.12; nested guests (vSIE), protected guests, FP and vector
registers, guarded storage, the guest's clock comparator are not here.
"""

OVERLAY = Overlay(name="s390", memory="tso", source="arch/s390/kvm/kvm-s390.c, v6.12")

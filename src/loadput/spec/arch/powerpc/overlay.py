"""powerpc Book3S HV on POWER9: load and put count stolen time; each entry brings the guest's registers.

arch/powerpc/kvm, v6.12, the path of POWER9 and later with radix; POWER8's virtual cores, with the
locks of their accounting, nested guests, PR and Book E are not here.
"""

OVERLAY = Overlay(name="powerpc", source="arch/powerpc/kvm/book3s_hv.c, v6.12")

"""mips with VZ: guest CP0 registers stay on the CPU after a put, and a load skips them where they are.

arch/mips/kvm, v6.12, on CPUs with GuestIDs; MSA, the guest's timer, the root TLB are not here.
"""

OVERLAY = Overlay(name="mips", source="arch/mips/kvm/vz.c, v6.12")

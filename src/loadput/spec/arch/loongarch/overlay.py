"""loongarch with LVZ: guest CSRs stay on the CPU after a put, and a load skips them where they are.

arch/loongarch/kvm, v6.12; PMU, LSX, LASX, LBT, the guest's timer and in-kernel interrupt
controllers are not here.
"""

OVERLAY = Overlay(name="loongarch", source="arch/loongarch/kvm/vcpu.c, v6.12")

"""x86, without its vendor part.

Sources: arch/x86/kvm/x86.c, arch/x86/kvm/pmu.c, arch/x86/kernel/process_64.c,
kernel/entry/kvm.c, kernel/user-return-notifier.c, v6.12
"""

OVERLAY = Overlay(name="x86", abstract=True, memory="tso", source="arch/x86/kvm/x86.c, v6.12")

"""x86 with Intel's VMX.

Sources: arch/x86/kvm/vmx/vmx.c, kernel/smp.c, v6.12. No nesting, no IPI virtualization, no PT.
"""

OVERLAY = Overlay(name="vmx", parent="x86", source="arch/x86/kvm/vmx/vmx.c, v6.12")

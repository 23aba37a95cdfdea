"""arm64 with VHE and nested virtualization: the guest is a hypervisor, and has a guest of its own.

Sources: arch/arm64/kvm/nested.c, arch/arm64/kvm/emulate-nested.c, v6.12.y
"""

OVERLAY = Overlay(name="arm64-nv", parent="arm64", source="arch/arm64/kvm/nested.c, v6.12")

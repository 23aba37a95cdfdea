"""v6.1: kvm_arch_sched_in() before the load, no scheduled_out, no wants_to_run.

Source: virt/kvm/kvm_main.c, arch/*/kvm, v6.1
"""

OVERLAY = Overlay(name="v6.1", design="A", source="v6.1", signatures="vgic_v4_put")

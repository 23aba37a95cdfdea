"""B: kvm_arch_vcpu_load() gets a parameter that says whether the scheduler calls it.

Source: "[PATCH 0/4] KVM: Fold kvm_arch_sched_in() into kvm_arch_vcpu_load()",
20240430193157.419425-1-seanjc@google.com. No field scheduled_out.
"""

OVERLAY = Overlay(
    name="B",
    source="20240430193157.419425-1-seanjc@google.com",
    signatures="kvm_arch_vcpu_load, kvm_x86_vcpu_load, svm_vcpu_load, vmx_vcpu_load",
    removes="kvm_vcpu.scheduled_out",
)

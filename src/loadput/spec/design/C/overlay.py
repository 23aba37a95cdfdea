"""C: kvm_arch_sched_in() loads the vCPU; by default it is kvm_arch_vcpu_load() and no more.

Source: Oliver Upton's proposal, quoted in ZjJRhQhX_12eBvY-@google.com; no patch was posted. No
field scheduled_out.
"""

OVERLAY = Overlay(name="C", source="ZjJRhQhX_12eBvY-@google.com", removes="kvm_vcpu.scheduled_out")

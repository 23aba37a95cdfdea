"""A vCPU that is loaded does not hear of its VM's new VMID.

Ours: kvm_riscv_gstage_vmid_update() of v7.2 without KVM_REQ_UPDATE_HGATP.
"""

OVERLAY = Overlay(
    name="riscv_hgatp_request_lost",
    parent="D",
    release="v7.2",
    arch="riscv",
    breaks="GUEST_STATE_COHERENT",
)

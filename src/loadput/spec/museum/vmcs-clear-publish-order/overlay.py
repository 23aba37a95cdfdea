"""Another CPU sees that a VMCS is clear before it sees it off the first CPU's list.

Before Linux commit 5a560f8b5e03 ("KVM: VMX: fix memory order between loading vmcs and clearing
vmcs"). In the source the two stores stood in the right order without a barrier; memory is
sequentially consistent here, so the overlay has the order that the missing barrier allows.
"""

OVERLAY = Overlay(
    name="vmcs-clear-publish-order",
    parent="D",
    arch="vmx",
    breaks="LIST_ADD, LIST_DEL, VMCS_LISTED",
)

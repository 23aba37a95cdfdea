"""After a put under pKVM the hypervisor's copy is still taken for the newer.

Broken on purpose: kvm_arch_vcpu_put() of v7.3 without PKVM_HOST_STATE_DIRTY.
"""

OVERLAY = Overlay(
    name="nvhe_put_keeps_clean",
    parent="D",
    release="v7.3",
    arch="arm64-nvhe",
    breaks="GUEST_STATE_COHERENT",
)

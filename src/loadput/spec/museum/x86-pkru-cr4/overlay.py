"""PKRU is switched only for a guest that has CR4.PKE set.

Before Linux commit 37486135d3a7 ("KVM: x86: Fix pkru save/restore when guest CR4.PKE=0, move it to
x86.c")
"""

OVERLAY = Overlay(
    name="x86-pkru-cr4", parent="D", arch="svm,vmx", release="v7.3", breaks="GUEST_XSTATE"
)

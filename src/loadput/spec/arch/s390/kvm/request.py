"""Requests, which take a vCPU out of SIE and wait until it is out.

Mirrors: arch/s390/kvm/kvm-s390.c, v6.12
"""

KVM_REQ_REFRESH_GUEST_PREFIX = 2


# [New in arch:s390]
def kvm_s390_vcpu_request_handled(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_vcpu_request_handled(), arch/s390/kvm/kvm-s390.c, v6.12"""
    xchg(vcpu.arch.sie_block.request, False)


# [New in arch:s390]
def kvm_s390_handle_requests(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_handle_requests(), arch/s390/kvm/kvm-s390.c, v6.12; Omits: all but the prefix"""
    while True:
        kvm_s390_vcpu_request_handled(vcpu)
        if not kvm_request_pending(vcpu):
            return
        kvm_check_request(KVM_REQ_REFRESH_GUEST_PREFIX, vcpu)


# [New in arch:s390]
def exit_sie(vcpu: ptr[kvm_vcpu]):
    """Take a vCPU out of SIE, and wait until it is out.

    Mirrors: exit_sie(), arch/s390/kvm/kvm-s390.c, v6.12; Omits: vSIE; kvm_s390_vcpu_block()
    """
    xchg(vcpu.arch.sie_block.stop_int, True)
    await_until(not vcpu.arch.sie_block.in_sie)


# [New in arch:s390]
def kvm_s390_sync_request(req: upto[3], vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_sync_request(), kvm_s390_vcpu_request(), arch/s390/kvm/kvm-s390.c, v6.12"""
    kvm_make_request(req, vcpu)
    xchg(vcpu.arch.sie_block.request, True)
    exit_sie(vcpu)


# [New in arch:s390]
@task
def unmapper():
    """Ours: a thread that unmaps, again and again, the page that holds the guest's prefix; no mmu_lock.

    Mirrors: kvm_gmap_notifier(), arch/s390/kvm/kvm-s390.c, v6.12; _gmap_unmap_prefix(),
    arch/s390/kvm/gmap/gmap.c, v7.3
    """
    while True:
        current.in_user_mode = False
        for vcpu in each(kvm_vcpu):
            if vcpu != current.vcpu:
                kvm_s390_sync_request(KVM_REQ_REFRESH_GUEST_PREFIX, vcpu)
        exit_to_user_mode()

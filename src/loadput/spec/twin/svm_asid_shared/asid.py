"""arch/x86/kvm/svm/svm.c, broken."""


# [Modified in twin:svm_asid_shared]
def new_asid(svm: ptr[vcpu_svm], sd: ptr[svm_cpu_data]):
    """As new_asid(), without next_asid++."""
    if sd.next_asid > max_asid:
        next_generation(sd)
        sd.next_asid = min_asid
        sd.flush_all_asids = True

    svm.asid_generation[svm.current_vmcb] = sd.asid_generation
    svm.asid = sd.next_asid

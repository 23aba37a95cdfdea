"""arch/x86/kvm/svm/svm.c, as it was."""


class svm_cpu_data(struct):
    # The count of generations has begun anew: the next number is one that vCPUs may have.
    restarted: bool


# [Modified in museum:svm-asid-hotplug]
def kvm_x86_enable_virtualization_cpu():
    """The count of generations begins anew."""
    if asids:
        sd = this_cpu_ptr(addr(svm_data))
        sd.asid_generation = 1
        sd.restarted = True
        sd.next_asid = max_asid + 1


# [Modified in museum:svm-asid-hotplug]
def next_generation(sd: ptr[svm_cpu_data]):
    """Ours: ++sd->asid_generation; what comes after 1 is what came after 1 before."""
    with atomic:
        new = 3 - sd.asid_generation
        for v in each(kvm_vcpu):
            for nr in range(2):
                if to_svm(v).vmcb_cpu[nr] == sd - 1 and to_svm(v).asid_generation[nr] == new:
                    if not sd.restarted:
                        to_svm(v).asid_generation[nr] = 0
        sd.restarted = False
        sd.asid_generation = new

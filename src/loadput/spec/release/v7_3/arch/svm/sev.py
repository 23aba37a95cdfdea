"""SEV-ES: a #VMEXIT loads the host's registers from the CPU's save area, whoever saved them there.

Mirrors: arch/x86/kvm/svm/sev.c, arch/x86/kvm/svm/svm.c, v7.3, on a CPU with V_TSC_AUX. Only where a
scenario sets sev_es_vcpus; without AVIC and ASIDs.
"""

# The vCPUs whose guests' registers are protected, a bit each.
sev_es_vcpus: setting[upto[15]] = 0


class vmcb_save_area(struct):
    tsc_aux: upto[1]
    pkru: token[pkru, task]


# [New in release:v7.3]
def is_sev_es_guest(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: is_sev_es_guest(), arch/x86/kvm/svm/svm.h, v7.3"""
    return sev_es_vcpus != 0 and (sev_es_vcpus >> (vcpu - 1)) & 1 != 0


# [New in release:v7.3]
def guest_state_protected(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vcpu->arch.guest_state_protected, arch/x86/include/asm/kvm_host.h, v7.3"""
    return is_sev_es_guest(vcpu)


# [New in release:v7.3]
def kvm_get_user_return_msr(slot: upto[0]) -> upto[1]:
    """Mirrors: kvm_get_user_return_msr(), arch/x86/kvm/msrs.c, v7.3"""
    return this_cpu_ptr(addr(user_return_msrs)).curr


# [New in release:v7.3]
def sev_es_prepare_switch_to_guest(svm: ptr[vcpu_svm], hostsa: ptr[vmcb_save_area]):
    """Mirrors: sev_es_prepare_switch_to_guest(), arch/x86/kvm/svm/sev.c, v7.3

    Context: preemption off, IRQs on
    Omits: XCR0 and XSS, which are the same on every CPU; debug registers
    """
    hostsa.pkru = this_cpu(hw_pkru)
    hostsa.tsc_aux = kvm_get_user_return_msr(tsc_aux_uret_slot)


# [Modified in release:v7.3]
def svm_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """Save the host state that the next #VMEXIT will load; give the guest its MSRs.

    Mirrors: svm_prepare_switch_to_guest(), arch/x86/kvm/svm/svm.c, v7.3
    Context: preemption off, IRQs on
    Omits: the GHCB, BP_SPEC_REDUCE
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), vcpu.cpu)

    if svm.guest_state_loaded:
        return

    vmsave(sd.save_area_pa)
    if is_sev_es_guest(vcpu):
        sev_es_prepare_switch_to_guest(svm, sd.save_area_pa)

    if tsc_scaling:
        __svm_write_tsc_multiplier(vcpu.arch.tsc_scaling_ratio)

    if not is_sev_es_guest(vcpu):
        kvm_set_user_return_msr(tsc_aux_uret_slot, svm.tsc_aux, -1)
    svm.guest_state_loaded = True


# [New in release:v7.3]
def __svm_sev_es_vcpu_run(svm: ptr[vcpu_svm], hostsa: ptr[vmcb_save_area]):
    """Two steps: VMRUN loads all of the guest's registers, #VMEXIT the host's; in between the guest
    runs, for as long as it likes.

    Mirrors: __svm_sev_es_vcpu_run(), arch/x86/kvm/svm/vmenter.S, v7.3
    Source: AMD64 Architecture Programmer's Manual volume 2, appendix B, types of swapped state
    """
    with atomic:
        this_cpu_write(hw_fs, NULL)
        this_cpu_write(hw_ldtr, NULL)
        this_cpu_write(hw_tsc_aux, TSC_AUX_GUEST)
        this_cpu_write(hw_xcr0, XCR0_GUEST)
        this_cpu_write(hw_pkru, NULL)

    with atomic:
        this_cpu_write(hw_fs, hostsa.fs)
        this_cpu_write(hw_ldtr, hostsa.ldtr)
        this_cpu_write(hw_tsc_aux, hostsa.tsc_aux)
        this_cpu_write(hw_xcr0, XCR0_HOST)
        this_cpu_write(hw_pkru, hostsa.pkru)


# [New in release:v7.3]
def sev_es_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_enter_exit(), arch/x86/kvm/svm/svm.c, v7.3, of a guest with SEV-ES"""
    sd = this_cpu_ptr(addr(svm_data))
    guest_state_enter_irqoff()
    __svm_sev_es_vcpu_run(to_svm(vcpu), sd.save_area_pa)


# [Modified in release:v7.3]
def svm_vcpu_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_run(), arch/x86/kvm/svm/svm.c, v7.3

    Omits: guest registers, DR6 and speculation MSRs, the fast path; CLGI and STGI: IRQs are off, and
    no NMI is modelled; a failing pre_svm_run()
    """
    if asids:
        svm_prepare_asid(vcpu)

    load_guest_debugctl(vcpu)

    if is_sev_es_guest(vcpu):
        sev_es_vcpu_enter_exit(vcpu)
    else:
        svm_vcpu_enter_exit(vcpu)

    load_host_debugctl(vcpu)

    if asids:
        svm_vmrun_is_done(vcpu)

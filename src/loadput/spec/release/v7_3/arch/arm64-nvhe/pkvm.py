"""pKVM's hypervisor has a copy of each vCPU, and runs that; which of the two is newer says a flag.

Mirrors: arch/arm64/kvm/hyp/nvhe/hyp-main.c, arch/arm64/kvm/hyp/nvhe/pkvm.c,
arch/arm64/kvm/handle_exit.c, v7.3. Only where a scenario sets pkvm; the guest is not protected. What runs
at EL2 is one step.
Omits: debug state, HCR_EL2, iflags
"""

FP_STATE_HOST_OWNED = 2


# PKVM_HOST_STATE_DIRTY, which its first KVM_RUN sets: nothing else in its word is here.
class kvm_vcpu_arch(struct):
    pkvm_host_state_dirty: bool = True


# struct pkvm_hyp_vcpu: vcpu.arch.ctxt, of each vCPU.
hyp_sys_regs: array[token[el1, vcpu], vcpu]
hyp_fp_regs: array[token[guest_fp, vcpu], vcpu]

# loaded_hyp_vcpu; the hypervisor's own struct kvm_host_data: fp_owner, host_ctxt.fp_regs.
loaded_hyp_vcpu: per_cpu[ptr[kvm_vcpu]]
hyp_fp_owner: per_cpu[upto[2]]
host_ctxt_fp: per_cpu[copy[token[fp, task]]]


# [New in release:v7.3]
def sync_hyp_vcpu_state(vcpu: ptr[kvm_vcpu]):
    """Mirrors: sync_hyp_vcpu_state(), arch/arm64/kvm/hyp/nvhe/hyp-main.c, v7.3"""
    vcpu.arch.ctxt.sys_regs = hyp_sys_regs[vcpu - 1]
    vcpu.arch.ctxt.fp_regs = hyp_fp_regs[vcpu - 1]


# [New in release:v7.3]
def flush_hyp_vcpu_state(vcpu: ptr[kvm_vcpu]):
    """Mirrors: flush_hyp_vcpu_state(), arch/arm64/kvm/hyp/nvhe/hyp-main.c, v7.3"""
    hyp_sys_regs[vcpu - 1] = vcpu.arch.ctxt.sys_regs
    hyp_fp_regs[vcpu - 1] = vcpu.arch.ctxt.fp_regs


# [New in release:v7.3]
def __pkvm_vcpu_load(vcpu: ptr[kvm_vcpu]):
    """Mirrors: handle___pkvm_vcpu_load(), arch/arm64/kvm/hyp/nvhe/hyp-main.c; pkvm_load_hyp_vcpu(),
    arch/arm64/kvm/hyp/nvhe/pkvm.c, v7.3
    """
    with atomic:
        free = this_cpu(loaded_hyp_vcpu) == NULL
        for c in each(cpu):
            if per_cpu(loaded_hyp_vcpu, c) == vcpu:
                free = False
        if free:
            this_cpu_write(loaded_hyp_vcpu, vcpu)


# [New in release:v7.3]
def __pkvm_vcpu_put():
    """Mirrors: handle___pkvm_vcpu_put(), arch/arm64/kvm/hyp/nvhe/hyp-main.c; pkvm_put_hyp_vcpu(),
    arch/arm64/kvm/hyp/nvhe/pkvm.c, v7.3
    """
    with atomic:
        vcpu = this_cpu(loaded_hyp_vcpu)
        if vcpu:
            if not vcpu.arch.pkvm_host_state_dirty:
                sync_hyp_vcpu_state(vcpu)
            this_cpu_write(loaded_hyp_vcpu, NULL)


# [New in release:v7.3]
def __pkvm_vcpu_sync_state():
    """Mirrors: handle___pkvm_vcpu_sync_state(), arch/arm64/kvm/hyp/nvhe/hyp-main.c, v7.3"""
    with atomic:
        vcpu = this_cpu(loaded_hyp_vcpu)
        if vcpu:
            sync_hyp_vcpu_state(vcpu)


# [New in release:v7.3]
def flush_hyp_vcpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: flush_hyp_vcpu(), fpsimd_sve_flush(), arch/arm64/kvm/hyp/nvhe/hyp-main.c, v7.3"""
    this_cpu_write(hyp_fp_owner, FP_STATE_HOST_OWNED)
    if vcpu.arch.pkvm_host_state_dirty:
        flush_hyp_vcpu_state(vcpu)


# [New in release:v7.3]
def sync_hyp_vcpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: sync_hyp_vcpu(), fpsimd_sve_sync(), arch/arm64/kvm/hyp/nvhe/hyp-main.c, v7.3"""
    if this_cpu(hyp_fp_owner) == FP_STATE_GUEST_OWNED:
        hyp_fp_regs[vcpu - 1] = this_cpu(hw_guest_fp)
        this_cpu_write(hw_guest_fp, 0)
        this_cpu_write(hw_fp, this_cpu(host_ctxt_fp))
        this_cpu_write(host_ctxt_fp, 0)
        this_cpu_write(hyp_fp_owner, FP_STATE_HOST_OWNED)


# [New in release:v7.3]
def guest_owns_fp_regs() -> bool:
    """Mirrors: guest_owns_fp_regs(), host_data_ptr(), arch/arm64/include/asm/kvm_host.h, v7.3, at EL2"""
    if is_protected_kvm_enabled():
        return this_cpu(hyp_fp_owner) == FP_STATE_GUEST_OWNED
    return __this_cpu_read(fp_owner) == FP_STATE_GUEST_OWNED


# [Modified in release:v7.3]
def kvm_hyp_handle_fpsimd(vcpu: ptr[kvm_vcpu]):
    """Under pKVM the hypervisor keeps what the host has in the registers, and gives it back at the exit.

    Mirrors: kvm_hyp_handle_fpsimd(), kvm_hyp_save_fpsimd_host(),
    arch/arm64/kvm/hyp/include/hyp/switch.h, v7.3
    """
    if is_protected_kvm_enabled():
        if this_cpu(hyp_fp_owner) == FP_STATE_HOST_OWNED:
            this_cpu_write(host_ctxt_fp, this_cpu(hw_fp))
        __this_cpu_write(hw_guest_fp, hyp_fp_regs[vcpu - 1])
        __this_cpu_write(hw_fp, 0)
        this_cpu_write(hyp_fp_owner, FP_STATE_GUEST_OWNED)
    else:
        __this_cpu_write(hw_guest_fp, vcpu.arch.ctxt.fp_regs)
        __this_cpu_write(hw_fp, 0)
        __this_cpu_write(fp_owner, FP_STATE_GUEST_OWNED)


# [New in release:v7.3]
def handle_exit_early(vcpu: ptr[kvm_vcpu], exception_index: upto[1]):
    """What the host will look at is made its own; else the hypervisor's is the newer.

    Mirrors: handle_exit_early(), handle_exit_pkvm_state(), arch/arm64/kvm/handle_exit.c, v7.3
    Context: preemption off
    Omits: SError
    """
    if not is_protected_kvm_enabled():
        return

    if exception_index == ARM_EXCEPTION_TRAP:
        __pkvm_vcpu_sync_state()
        vcpu.arch.pkvm_host_state_dirty = True
    else:
        vcpu.arch.pkvm_host_state_dirty = False


# [Modified in release:v7.3]
def reset_more(vcpu: ptr[kvm_vcpu]):
    """The hypervisor's copy is old.

    Mirrors: kvm_reset_vcpu_core(), arch/arm64/include/asm/kvm_emulate.h, v7.3
    """
    hyp_sys_regs[vcpu - 1] = 0
    hyp_fp_regs[vcpu - 1] = 0


# [New in release:v7.3]
def put_protected(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put() where it asks is_protected_kvm_enabled(), arch/arm64/kvm/arm.c, v7.3"""
    if is_protected_kvm_enabled():
        __vgic_v3_save_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))
        __pkvm_vcpu_put()
        vcpu.arch.pkvm_host_state_dirty = True

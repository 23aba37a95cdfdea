"""What the posted-interrupt descriptor promises to those who look at ON, or wait for a notification."""


class kvm_vcpu(struct):
    # How many are between PIR and the end of their notification; the vCPU takes PIR to IRR.
    in_post: ghost[upto[4]]
    in_sync: ghost[bool]


@monitor(where="enable_apicv")
@at_entry(vmx_deliver_posted_interrupt)
def post_begins(vcpu: ptr[kvm_vcpu]):
    vcpu.in_post = vcpu.in_post + 1


@monitor(where="enable_apicv")
@at_exit(vmx_deliver_posted_interrupt)
def post_ends(vcpu: ptr[kvm_vcpu]):
    vcpu.in_post = vcpu.in_post - 1


@monitor(where="enable_apicv")
@at_entry(vmx_sync_pir_to_irr)
def sync_begins(vcpu: ptr[kvm_vcpu]):
    vcpu.in_sync = True


@monitor(where="enable_apicv")
@at_exit(vmx_sync_pir_to_irr)
def sync_ends(vcpu: ptr[kvm_vcpu]):
    vcpu.in_sync = False


@property_(
    source='Linux commit c112b5f50232 ("KVM: x86: Recompute PID.ON when clearing PID.SN")',
    twin="vmx-pi-on-after-sn",
    where="enable_apicv",
)
@at_exit(kvm_arch_vcpu_load)
@at_exit(kvm_arch_vcpu_put)
@at_entry(guest_state_enter_irqoff)
def PI_ON_IF_POSTED() -> bool:
    """Where PIR is not empty and SN is not set, ON is set, which alone KVM looks at; unless whoever
    posts, or moves PIR to IRR, is not done.
    """
    vcpu = this_cpu(kvm_running_vcpu)
    if vcpu == NULL or vcpu.in_post or vcpu.in_sync:
        return True
    pi = addr(to_vmx(vcpu).pi_desc)
    return not pi.pir or pi.sn or pi.on


@property_(
    source="arch/x86/kvm/vmx/vmx.c kvm_vcpu_trigger_posted_interrupt(), arch/x86/kvm/x86.c"
    " vcpu_enter_guest(), v6.12: mode is set before ON is looked at",
    twin="pi_load_keeps_ndst",
    where="enable_apicv",
)
@at_entry(guest_state_enter_irqoff)
@at_exit(vmx_vcpu_enter_exit)
def PI_NOTIFIED() -> bool:
    """From its entry to its exit the guest learns what is posted: an interrupt in PIR has its
    notification waiting at this CPU, or a poster that is not done; one in IRR is in RVI.
    """
    vcpu = this_cpu(kvm_running_vcpu)
    if vcpu == NULL:
        return True
    vmx = to_vmx(vcpu)
    if vcpu.arch.irr and not vmx.loaded_vmcs.vmcs.rvi:
        return False
    return not vmx.pi_desc.pir or vcpu.in_post or this_cpu(irr_posted_intr)


@property_(
    source="Intel SDM volume 3, virtual-interrupt delivery: RVI is the highest vector in IRR",
    twin="vmcs-foreign-access",
    where="enable_apicv",
)
@at_exit(vmx_set_rvi)
@at_entry(guest_takes_interrupt)
def RVI_OWN() -> bool:
    """RVI of the VMCS that is current says only what is pending for the vCPU that the VMCS is of."""
    vmcs = this_cpu(hw_current_vmcs)
    return vmcs == NULL or not vmcs.rvi or container_of(vmcs, kvm_vcpu, vmcs).arch.irr


@property_(
    source="arch/x86/kvm/vmx/posted_intr.c wakeup_vcpus_on_cpu_lock, v6.12: tasks migrate",
    twin="pi_list_unlocked",
    where="enable_apicv",
)
@at_entry(add_wakeup_list)
@at_entry(del_wakeup_list)
def WAKEUP_LIST_LOCKED(vmx: ptr[vcpu_vmx], cpu: cpu) -> bool:
    """The list of vCPUs that a CPU's wakeup handler walks changes under its lock only."""
    return per_cpu(wakeup_vcpus_on_cpu_lock, cpu)


@property_(
    source="arch/x86/kvm/vmx/posted_intr.c wakeup_vcpus_on_cpu_lock, v6.12: the handler takes it",
    twin="pi_lock_irqs_on",
    where="enable_apicv",
)
@at_entry(lock_wakeup_list)
def WAKEUP_LOCK_IRQS_OFF() -> bool:
    """The lock that the wakeup handler takes is taken with interrupts off."""
    return irqs_disabled()

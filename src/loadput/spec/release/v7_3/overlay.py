"""v7.3: today's kernel, laid over v7.2, which has riscv, and v6.12.

Only what differs stands here. vcpu_load(), vcpu_put(), kvm_sched_in(), kvm_sched_out(), the way a
vCPU blocks and is woken, virt/kvm/kvm_main.c, are those of v6.12. Proxy execution is off but where a
scenario sets it. kernel/Kconfig.preempt leaves PREEMPT_NONE to who cannot be preempted at all, and
PREEMPT_VOLUNTARY to who has no PREEMPT_LAZY: of these architectures mips. Source: Debian's linux-source-7.3 7.3.4-1
"""

OVERLAY = Overlay(
    name="v7.3",
    parent="v7.2",
    design="D",
    source="Debian linux-source-7.3 7.3.4-1~bpo13+1",
    signatures="vmx_vcpu_load_vmcs",
    absent="preempt_model=0, preempt_model=1 but on mips",
)

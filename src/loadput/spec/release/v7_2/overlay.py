"""v7.2: riscv skips the restore of CSRs that it takes to be on the CPU still. riscv only.

vcpu_load(), vcpu_put(), kvm_sched_in(), kvm_sched_out() of virt/kvm/kvm_main.c are those of v6.12,
and the scheduler as far as it is modelled: try_to_block_task(), prepare_task_switch(),
finish_task_switch(), kernel/sched/core.c; proxy execution is off. kvm_vcpu_on_spin() scans once
instead of twice, which the free order of the scan holds too. What other architectures load and put
in v7.2 was not read, so the release is refused there. Source: Debian's linux-source-7.2 7.2.12-1
"""

OVERLAY = Overlay(
    name="v7.2", design="D", arch="riscv", source="Debian linux-source-7.2 7.2.12-1, riscv only"
)

"""A register that the specification does not have; no property that ships is about it.

Pointer authentication keys on arm64: a task's, which the switch loads, and a guest's. Linux commit
ef3e40a7ea8d ("KVM: arm64: Save the host's PtrAuth keys in non-preemptible context") (in v5.8) is
about the first bug here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario, make_scenario

OVERLAY = '''"""Pointer authentication keys."""

OVERLAY = Overlay(name="keys", parent="D", arch="arm64", source="ours")
'''
KEYS = '''"""The keys of a task and of a guest.

Mirrors: arch/arm64/kernel/process.c, arch/arm64/kvm/arm.c, v6.12
"""


class thread_struct(struct):
    keys_user: token[apkey, task] = own


class kvm_cpu_context(struct):
    keys: token[guest_apkey, vcpu] = own


hw_apkey: per_cpu[token[apkey, task]]
hw_guest_apkey: per_cpu[token[guest_apkey, vcpu]]
host_ctxt_apkey: per_cpu[copy[token[apkey, task]]]


# [New in design:keys]
def ptrauth_save_keys():
    """Mirrors: ptrauth_save_keys(), arch/arm64/include/asm/kvm_ptrauth.h, v6.12"""
    __this_cpu_write(host_ctxt_apkey, __this_cpu_read(hw_apkey))


# [Modified in design:keys]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """Mirrors: __switch_to(), ptrauth_thread_switch_user(), arch/arm64/kernel/process.c, v6.12"""
    fpsimd_thread_switch(next)
    tls_thread_switch(next)
    __this_cpu_write(hw_apkey, next.thread.keys_user)


# [Modified in design:keys]
def kvm_arch_vcpu_load_fp(vcpu: ptr[kvm_vcpu]):
    """As kvm_arch_vcpu_load_fp(), and the host's keys are saved."""
    fpsimd_save_and_flush_cpu_state()
    __this_cpu_write(fp_owner, FP_STATE_FREE)
    ptrauth_save_keys()


# [Modified in design:keys]
def check_vcpu_requests(vcpu: ptr[kvm_vcpu]) -> int:
    """As check_vcpu_requests(), of what a scenario here has."""
    if kvm_request_pending(vcpu):
        kvm_check_request(KVM_REQ_IRQ_PENDING, vcpu)
    return 1


# [Modified in design:keys]
def __kvm_vcpu_run(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """As __kvm_vcpu_run(), with the keys switched around the guest."""
    with atomic:
        __kvm_adjust_pc(vcpu)
        if __this_cpu_read(fp_owner) != FP_STATE_GUEST_OWNED:
            kvm_hyp_handle_fpsimd(vcpu)
        __this_cpu_write(hw_apkey, 0)
        __this_cpu_write(hw_guest_apkey, vcpu.arch.ctxt.keys)
        guest_runs(vcpu)
        fresh(this_cpu(hw_guest_apkey), vcpu)
        vcpu.arch.ctxt.keys = __this_cpu_read(hw_guest_apkey)
        __this_cpu_write(hw_guest_apkey, 0)
        __this_cpu_write(hw_apkey, __this_cpu_read(host_ctxt_apkey))
        kvm_reset_cptr_el2(vcpu)
    return choose(ARM_EXCEPTION_IRQ, ARM_EXCEPTION_TRAP)
'''
SAVE = "    __this_cpu_write(fp_owner, FP_STATE_FREE)\n    ptrauth_save_keys()\n"
BUGS = {
    # what is broken: the edit, what it violates on one CPU, and on two
    "saved in preemptible code": (
        [
            (SAVE, "    __this_cpu_write(fp_owner, FP_STATE_FREE)\n"),
            (
                "    if kvm_request_pending(vcpu):\n",
                "    ptrauth_save_keys()\n    if kvm_request_pending(vcpu):\n",
            ),
        ],
        {"PER-CPU-PINNED"},
        {"PER-CPU-PINNED", "HOST-RESTORED"},
    ),
    "the host's are not given back": (
        [("        __this_cpu_write(hw_apkey, __this_cpu_read(host_ctxt_apkey))\n", "")],
        {"HOST-RESTORED"},
        {"HOST-RESTORED"},
    ),
    "the guest's are not loaded": (
        [("        __this_cpu_write(hw_guest_apkey, vcpu.arch.ctxt.keys)\n", "")],
        {"GUEST-STATE-COHERENT"},
        {"GUEST-STATE-COHERENT"},
    ),
    "the guest's are not saved": (
        [("        vcpu.arch.ctxt.keys = __this_cpu_read(hw_guest_apkey)\n", "")],
        {"GUEST-STATE-COHERENT", "MEMORY-FRESH"},
        {"GUEST-STATE-COHERENT", "MEMORY-FRESH"},
    ),
}
TWO = {
    "cpus": 2,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run"]}],
}


def decide(folder: Path, text: str, cpus: int) -> Result:
    home = folder / "design" / "keys"
    (home / "arch" / "arm64").mkdir(parents=True)
    (home / "overlay.py").write_text(OVERLAY, "utf-8")
    (home / "arch" / "arm64" / "keys.py").write_text(text, "utf-8")
    scenario = load_scenario("one") if cpus == 1 else make_scenario("two", TWO)
    return check(Choice("arm64", "keys", "v6.12", search=(folder,)), scenario)


@pytest.mark.parametrize("cpus", [1, 2])
def test_the_register_is_watched_and_right(cpus: int, tmp_path: Path) -> None:
    r = decide(tmp_path, KEYS, cpus)
    assert r.verdict == "holds"
    kept = {s.name.partition("[")[0] for s in r.machine.slots}
    assert {"hw_apkey", "host_ctxt_apkey"} <= kept


@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("what", BUGS)
def test_what_is_wrong_with_it_is_found(what: str, cpus: int, tmp_path: Path) -> None:
    edits, *found = BUGS[what]
    text = KEYS
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    assert set(decide(tmp_path, text, cpus).violated) == found[cpus - 1]

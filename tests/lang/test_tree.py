"""Functions of real kernels, read from an unpacked source tree where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loadput.base.errors import InputError
from loadput.ir import ops as o
from loadput.ir.spec import verify
from loadput.ir.text import parse_function, render_function
from loadput.lang.inputs import TreeFunctions, read_tree
from loadput.lang.lower import Note, lower

from .build import program

MAIN, CORE, X86 = "virt/kvm/kvm_main.c", "kernel/sched/core.c", "arch/x86/kvm/x86.c"
SVM, VMX = "arch/x86/kvm/svm/svm.c", "arch/x86/kvm/vmx/vmx.c"
COMMON = {
    MAIN: "vcpu_load vcpu_put kvm_sched_in kvm_sched_out kvm_vcpu_wake_up kvm_vcpu_kick"
    " kvm_vcpu_on_spin kvm_vcpu_block kvm_get_running_vcpu kvm_vcpu_yield_to",
    CORE: "preempt_notifier_register preempt_notifier_unregister prepare_task_switch"
    " finish_task_switch __schedule ttwu_runnable",
    X86: "kvm_arch_vcpu_load kvm_arch_vcpu_put kvm_steal_time_set_preempted vcpu_enter_guest",
    SVM: "svm_vcpu_load svm_vcpu_put svm_prepare_switch_to_guest svm_prepare_host_switch",
    VMX: "vmx_vcpu_load vmx_vcpu_put vmx_vcpu_load_vmcs vmx_prepare_switch_to_guest"
    " vmx_prepare_switch_to_host",
    "arch/arm64/kvm/arm.c": "kvm_arch_vcpu_load kvm_arch_vcpu_put",
    "arch/riscv/kvm/vcpu.c": "kvm_arch_vcpu_load kvm_arch_vcpu_put",
    "include/linux/kvm_host.h": "kvm_make_request kvm_vcpu_exiting_guest_mode",
}
REFUSED = {  # and why: the front end says it, the specification's own body stays
    (CORE, "__fire_sched_in_preempt_notifiers"): "unknown loop macro hlist_for_each_entry",
    (X86, "record_steal_time"): "cannot lower inline assembly",
}


def source(version: str) -> Path:
    at = os.environ.get(f"LOADPUT_LINUX_{version.replace('.', '_')}", "")
    if not at or not Path(at).is_dir():
        pytest.skip(f"no Linux {version} tree: set LOADPUT_LINUX_{version.replace('.', '_')}")
    return Path(at)


def read(root: Path, path: str, names: list[str]) -> TreeFunctions:
    return read_tree(root, names, {n: [path] for n in names})


@pytest.mark.parametrize("version", ["6.1", "6.12"])
@pytest.mark.parametrize("path", COMMON)
def test_read_tree_real_functions_lower(version: str, path: str) -> None:
    names = COMMON[path].split()
    got = read(source(version), path, names)
    assert (sorted(got.defs), got.reasons) == (sorted(names), {})
    for d in got.defs.values():
        decls = program()
        fn = lower(d, decls, infer=True)
        verify(fn, decls)
        assert parse_function(render_function(fn)) == fn
        assert d.span.file == path


@pytest.mark.parametrize("version", ["6.1", "6.12"])
@pytest.mark.parametrize(("path", "name"), REFUSED)
def test_read_tree_says_why_a_function_is_not_taken(version: str, path: str, name: str) -> None:
    got = read(source(version), path, [name, "no_such_function"])
    assert got.defs == {} and REFUSED[path, name] in got.reasons[name]
    assert got.reasons[name].startswith(path + ":")
    assert got.reasons["no_such_function"] == f"not defined in {path}"


@pytest.mark.parametrize("version", ["6.1", "6.12"])
def test_lower_directed_yield_reads_the_flags_of_other_tasks(version: str) -> None:
    notes: list[Note] = []
    d = read(source(version), MAIN, ["kvm_vcpu_on_spin"]).defs["kvm_vcpu_on_spin"]
    fn = lower(d, program(), infer=True, notes=notes)
    ops = [op for b in fn.blocks for op in b.ops]
    read_once = {op.place.var for op in ops if isinstance(op, o.Load) and op.mark == "once"}
    assert {"kvm_vcpu.ready", "kvm_vcpu.preempted", "kvm.last_boosted_vcpu"} == read_once
    assert [op.place.var for op in ops if isinstance(op, o.Store)] == ["kvm.last_boosted_vcpu"]
    assert notes == []


def test_read_tree_without_the_tree(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the 1 files"):
        read(tmp_path, MAIN, ["vcpu_load"])
    with pytest.raises(InputError, match="no such directory"):
        read(tmp_path / "none", MAIN, ["vcpu_load"])


def test_read_tree_takes_the_first_file_that_defines_it(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text('void f(void);\nvoid h(void) { asm(""); }\n')
    (tmp_path / "b.c").write_text("void g(void) { }\nvoid f(void)\n{\n\tg();\n}\n")
    got = read_tree(tmp_path, {"f", "g", "h"}, {n: ["a.c", "b.c"] for n in "fgh"})
    assert {n: str(d.span) for n, d in got.defs.items()} == {"f": "b.c:2:6", "g": "b.c:1:6"}
    assert list(got.reasons) == ["h"] and got.reasons["h"].startswith("a.c:2:")

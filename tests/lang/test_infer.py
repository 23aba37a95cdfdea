"""What C leaves open is guessed from its use, and said."""

from __future__ import annotations

import pytest

from loadput.ir import types as ty
from loadput.lang.cfront import parse_c
from loadput.lang.infer import infer_fields
from loadput.lang.lower import Note

from .build import body, lower_c, program

FN = "void f(struct kvm_vcpu *vcpu, struct task_struct *t, int n)\n{\n\t%s\n}\n"


@pytest.mark.parametrize(
    ("statements", "want"),
    [
        ("WRITE_ONCE(vcpu->fresh, true);", ty.BOOL),
        ("vcpu->fresh = !vcpu->ready;", ty.BOOL),
        ("vcpu->fresh = 0; if (vcpu->fresh == 3) g();", ty.Int(0, 3)),
        ("vcpu->fresh = IN_GUEST_MODE; if (vcpu->fresh == EXITING_GUEST_MODE) g();", ty.Int(0, 2)),
        ("vcpu->fresh = vcpu->cpu;", ty.CPU),
        ("vcpu->fresh = smp_processor_id();", ty.CPU),
        ("int cpu = get_cpu(); vcpu->fresh = cpu;", ty.CPU),
        ("vcpu->fresh = current;", ty.Ptr("task_struct")),
        ("vcpu->fresh = NULL; if (vcpu->fresh == t) g();", ty.Ptr("task_struct")),
        ("vcpu->fresh++; if (vcpu->fresh > 3) g();", ty.Int(-1, 127)),
        ("xchg(&vcpu->fresh, true);", ty.BOOL),
        ("vcpu->arch.fresh = true;", ty.BOOL),
    ],
)
def test_infer_fields_takes_the_type_from_use(statements: str, want: ty.Type) -> None:
    decls = program()
    lower_c(FN % statements, decls)
    assert [(v.name.split(".")[1], v.type) for v in decls.inferred] == [("fresh", want)]


@pytest.mark.parametrize(
    "statements",
    [
        "vcpu->stat.generic.wakeups++;",
        "vcpu->fresh++;",
        "if (vcpu->fresh) g();",
        "vcpu->fresh = rdtsc();",
        "spin_lock(&vcpu->fresh);",
        "vcpu->fresh = vcpu->other->thing;",
    ],
)
def test_infer_fields_keeps_no_state_for_what_only_the_kernel_knows(statements: str) -> None:
    decls = program()
    lower_c(FN % statements, decls)
    assert decls.inferred == []


def test_infer_fields_sees_every_function_at_once() -> None:
    text = """void a(struct kvm_vcpu *vcpu)
{
	vcpu->fresh = 1;
}
void b(struct kvm_vcpu *vcpu)
{
	if (vcpu->fresh == 3)
		g();
}
"""
    decls = program()
    (found,) = infer_fields(parse_c(text, "x.c", "user:x.c"), decls)
    assert (found.name, found.type, str(found.span)) == (
        "kvm_vcpu.fresh",
        ty.Int(0, 3),
        "x.c:3:2",
    )
    assert decls.inferred == [found]


def test_infer_fields_believes_the_header_of_the_patch() -> None:
    text = "void a(struct kvm_vcpu *vcpu)\n{\n\tvcpu->fresh = probe();\n\tvcpu->fresh = NULL;\n}\n"
    decls = program()
    hints = [("kvm_vcpu", "fresh", "struct task_struct *")]
    infer_fields(parse_c(text, "x.c", "user:x.c"), decls, hints)
    assert decls.structs["kvm_vcpu"].fields["fresh"].type == ty.Ptr("task_struct")


@pytest.mark.parametrize(
    ("ctype", "statements", "want", "percpu"),
    [
        ("per_cpu struct kvm_vcpu *", "this_cpu_write(last, vcpu);", ty.Ptr("kvm_vcpu"), True),
        ("per_cpu struct kvm_vcpu *", "per_cpu(last, 0) = vcpu;", ty.Ptr("kvm_vcpu"), True),
        ("per_cpu struct kvm_vcpu *", "*this_cpu_ptr(&last) = vcpu;", ty.Ptr("kvm_vcpu"), True),
        ("per_cpu bool", "__this_cpu_write(last, true);", ty.BOOL, True),
        ("per_cpu int", "this_cpu_write(last, 3);", ty.Int(0, 3), True),
        ("bool", "WRITE_ONCE(last, vcpu->ready);", ty.BOOL, False),
        ("struct kvm_vcpu *", "last = vcpu;", ty.Ptr("kvm_vcpu"), False),
    ],
)
def test_a_variable_that_a_patch_brings_is_state(
    ctype: str, statements: str, want: ty.Type, percpu: bool
) -> None:
    decls = program()
    defs = parse_c(FN % statements, "x.c", "user:x.c")
    found = infer_fields(defs, decls, [("", "last", ctype)])
    assert [(v.name, v.type, v.percpu) for v in found] == [("last", want, percpu)]
    assert decls.globals["last"].type == want
    lower_c(FN % statements, decls)


def test_a_variable_that_nobody_brings_is_no_state() -> None:
    decls = program()
    assert infer_fields(parse_c(FN % "this_cpu_write(last, vcpu);", "x.c", "user:x.c"), decls) == []


def test_lower_opaque_read_is_any_value_and_noted() -> None:
    notes: list[Note] = []
    text = FN % "if (vcpu->pool->depth > n) g(); vcpu->pool->depth = n;"
    got = body(lower_c(text, notes=notes))
    assert 'choose 0 1 "opaque vcpu->pool->depth"' in got
    assert [(n.kind, n.what, n.span.line) for n in notes] == [
        ("opaque read", "vcpu->pool->depth", 3),
        ("dropped store", "vcpu->pool->depth", 3),
    ]


def test_lower_opaque_expression_keeps_the_effects_inside_it() -> None:
    got = body(lower_c(FN % "unknown_base->x = probe(vcpu) + vcpu->cpu;"))
    assert "call probe(%vcpu)" in got and "load.plain kvm_vcpu.cpu[%vcpu]" in got


def test_lower_pointer_to_an_unknown_struct_does_not_stop_a_function() -> None:
    text = FN % "struct lapic *apic = vcpu->arch.apic; if (apic && apic->on) g(apic);"
    assert "local %apic: bool" in body(lower_c(text))

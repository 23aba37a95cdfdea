"""Kernel C means what C means."""

from __future__ import annotations

import pytest

from loadput.base.errors import SourceError
from loadput.ir import ops as o
from loadput.ir import types as ty
from loadput.ir.decls import VarDecl
from loadput.lang.cfront import parse_c
from loadput.lang.lower import Note

from .build import body, lower_c, program, run


def result(text: str, *args: int, **constants: int) -> int | None:
    return run(lower_c(text), list(args), **constants)[0]


@pytest.mark.parametrize(
    ("statements", "value"),
    [
        ("int a = 3; return a++ + 10;", 13),
        ("int a = 3; a++; return a;", 4),
        ("int a = 3; return ++a;", 4),
        ("int a = 3; int b = --a; return a * 10 + b;", 22),
        ("int a = 1, b; b = a = 7; return a + b;", 14),
        ("int a = 5; a += 2; a <<= 1; return a;", 14),
        ("int a = 0, i; for (i = 0; i < 4; i++, a += 2) ; return a;", 8),
        ("int i, n = 0; for (int i = 0; i < 3; i++) n += i; i = 9; return n + i;", 12),
        ("int a = 0; do { a++; } while (a < 3); return a;", 3),
        ("int a = 0; while (1) { if (++a == 5) break; } return a;", 5),
        ("int a = 2; return a ? a > 1 ? 8 : 7 : 6;", 8),
        ("int a = 0; return a ?: 4;", 4),
        ("int a = 3; return a ?: 4;", 3),
        ("int a = 0x10 + 'A' + 010u + 1UL; return a;", 90),
        ("int a = 1; if (a) goto out; a = 5; out: return a;", 1),
        ("int a = 1; { int a = 2; a = 3; } return a;", 1),
        ("bool b = 6; return b;", 1),
        ("bool b = 6 & 4; return b + 1;", 2),
        ("bool b = !!(bool)8; return b;", 1),
        ("return (1, 2);", 2),
        ("return min(3, 2) + max(3, 2);", 5),
        ("return BIT(3);", 8),
        ("int a = -1; return (unsigned)a < 2;", 0),
        ("int a = 1; return (u32)a < 2;", 1),
        ("return likely(1) && !unlikely(0);", 1),
    ],
)
def test_lower_statements_mean_what_c_means(statements: str, value: int) -> None:
    assert result("int f(void)\n{\n" + statements + "\n}\n") == value


@pytest.mark.parametrize(("x", "value"), [(1, 31), (2, 30), (3, 4), (9, 5)])
def test_lower_switch_falls_through(x: int, value: int) -> None:
    text = """int f(int x)
{
	int a = 0;

	switch (x) {
	case 1:
		a++;
		fallthrough;
	case 2:
		a += 30;
		break;
	case 3:
		return 4;
	default:
		a = 5;
	}
	return a;
}
"""
    assert result(text, x) == value


def test_lower_assignment_in_condition_is_seen_after_it() -> None:
    text = "int f(int x)\n{\n\tint a;\n\tif ((a = x + 1) > 2)\n\t\treturn a;\n\treturn -a;\n}\n"
    assert (result(text, 1), result(text, 5)) == (-2, 6)


def test_lower_evaluates_calls_in_order_of_c() -> None:
    text = "int f(void)\n{\n\treturn first() == 1 && second() > 0 ? third() : fourth();\n}\n"
    seen: list[str] = []

    def calls(name: str, args: list[int]) -> int:
        seen.append(name)
        return 1

    run(lower_c(text), [], calls=calls)
    assert seen == ["first", "second", "third"]


def test_lower_attributes_and_annotations_change_nothing() -> None:
    plain = "static void f(struct kvm_vcpu *vcpu)\n{\n\tvcpu->ready = true;\n}\n"
    dressed = (
        "static __always_inline void __must_hold(&x) f(struct kvm_vcpu __user *vcpu)\n"
        '\t__releases(rq->lock) __attribute__((section("x"), (y)))\n'
        "{\n\tvcpu->ready = true;\n}\nEXPORT_SYMBOL_GPL(f);\n"
    )
    assert body(lower_c(plain)) == body(lower_c(dressed))


def test_lower_kernel_names_have_their_meaning() -> None:
    text = """void f(struct kvm_vcpu *vcpu)
{
	unsigned long flags;
	int cpu = get_cpu();

	local_irq_save(flags);
	if (vcpu == __this_cpu_read(kvm_running_vcpu))
		smp_store_release(&vcpu->mode, EXITING_GUEST_MODE);
	smp_mb__after_atomic();
	local_irq_restore(flags);
	vcpu->cpu = cpu;
	put_cpu();
}
"""
    got = body(lower_c(text))
    assert "local %flags: bool" in got and "local %cpu: cpu" in got
    assert "store.release kvm_vcpu.mode[%vcpu] = $EXITING_GUEST_MODE" in got
    assert "ctl irq_save %flags" in got and "barrier mb" in got


def test_lower_static_call_is_a_call_by_name() -> None:
    text = """void f(struct kvm_vcpu *vcpu, int cpu)
{
	static_call(kvm_x86_vcpu_load)(vcpu, cpu);
	static_call_cond(kvm_x86_vcpu_put)(vcpu);
	kvm_x86_call(sched_in)(vcpu, cpu);
	vcpu->ops->hook(vcpu);
}
"""
    calls = [op.fn for b in lower_c(text).blocks for op in b.ops if isinstance(op, o.Call)]
    assert calls == ["kvm_x86_vcpu_load", "kvm_x86_vcpu_put", "kvm_x86_sched_in", "vcpu->ops->hook"]


def test_lower_container_of_and_nested_members_reach_the_field() -> None:
    text = """void f(struct preempt_notifier *pn)
{
	struct kvm_vcpu *vcpu = container_of(pn, struct kvm_vcpu, preempt_notifier);

	vcpu->arch.halted = true;
	g(&vcpu->preempt_notifier);
}
"""
    got = body(lower_c(text))
    assert "store.plain kvm_vcpu_arch.halted[%vcpu] = 1" in got
    assert "call g(%vcpu)" in got


def test_parse_c_chooses_arms_by_the_table_and_says_so() -> None:
    text = """void f(void)
{
#ifdef CONFIG_SMP
	a();
#else
	b();
#endif
#if IS_ENABLED(CONFIG_FOO) || (defined(CONFIG_BAR) && 1)
	c();
#endif
	if (IS_ENABLED(CONFIG_BAZ))
		d();
}
"""
    (d,) = parse_c(text, "x.c", "user:x.c", config={"CONFIG_SMP": True, "CONFIG_BAR": True})
    said = ("CONFIG_SMP=y", "CONFIG_FOO=n", "CONFIG_BAR=y", "CONFIG_BAZ=n")
    assert d.assumed == said
    assert [type(st).__name__ for st in d.body] == ["ExprStmt", "ExprStmt", "If"]


def test_parse_c_names_places_in_the_file_of_the_user() -> None:
    text = "/* a */ static int x = 1;\n\nstatic void\nf(void)\n{\n\tg(1);\n}\n"
    (d,) = parse_c(text, "x.c", "user:x.c", line_offset=10)
    assert (str(d.span), d.end_line) == ("x.c:14:1", 17)
    assert str(d.body[0].span) == "x.c:16:2"


def test_parse_c_finds_only_functions_that_are_defined() -> None:
    text = """#include <linux/x.h>
struct s { int (*f)(int a); };
int declared(void);
static const struct s table = { .f = g, };
#define M(x) do { (x)(); } while (0)
#ifdef CONFIG_X
int f(void) { return 1; }
#else
int f(void) { return 2; }
#endif
static inline struct s *
g(int a) { if (a) { h("}{"); } return NULL; /* } */ }
DEFINE_MACRO(x) { };
"""
    assert [d.name for d in parse_c(text, "x.c", "user:x.c")] == ["f", "g"]


@pytest.mark.parametrize(
    ("statement", "code", "column", "what"),
    [
        ('asm volatile("nop");', "LP0203", 2, "inline assembly"),
        ("x = ({ 1; });", "LP0203", 7, "({ … })"),
        ("static int n;", "LP0203", 2, "static variable"),
        ("list_for_each_entry(a, &b, c) { }", "LP0224", 2, "list_for_each_entry"),
        ("x = = 1;", "LP0220", 6, "parsed"),
        ("#define X 1", "LP0223", 1, "directive"),
        ("WRITE_ONCE(flag);", "LP0207", 2, "WRITE_ONCE called with 1"),
        ("kvm_arch_vcpu_put(1, 2);", "LP0207", 2, "kvm_arch_vcpu_put called with 2"),
        ("break;", "LP0205", 2, "break"),
        ("flag[1] = 2;", "LP0203", 2, "array"),
        ("x = 1.5;", "LP0203", 6, "1.5"),
        ("switch (x) { g(); case 1: ; }", "LP0203", 15, "before the first case"),
    ],
)
def test_lower_refuses_with_place_and_caret(
    statement: str, code: str, column: int, what: str
) -> None:
    with pytest.raises(SourceError) as e:
        lower_c(f"void f(int x)\n{{\n\t{statement}\n}}\n" if code != "LP0223" else
                f"void f(int x)\n{{\n{statement}\n}}\n")  # fmt: skip
    err = e.value
    assert err.span is not None and err.line_text is not None and err.expected
    assert (err.code, err.span.line, err.span.col) == (code, 3, column)
    assert what in err.render() and "^" in err.render()


def test_parse_c_undecidable_if_is_an_error_only_where_it_matters() -> None:
    text = "#if FOO > 3\n#endif\nvoid f(void)\n{\n\tg();\n}\n"
    assert len(parse_c(text, "x.c", "user:x.c")) == 1
    with pytest.raises(SourceError, match="FOO > 3") as e:
        parse_c("void f(void)\n{\n#if FOO > 3\n\tg();\n#endif\n}\n", "x.c", "user:x.c")
    assert e.value.code == "LP0222"


def test_lower_traces_and_prints_are_noted_not_called() -> None:
    notes: list[Note] = []
    text = 'void f(int n)\n{\n\ttrace_x(n);\n\tpr_debug("%d", n);\n\tlockdep_assert_held(&n);\n}\n'
    fn = lower_c(text, notes=notes)
    assert not [op for b in fn.blocks for op in b.ops if isinstance(op, o.Call)]
    assert [(n.kind, n.what) for n in notes] == [
        ("no effect", "trace_x"),
        ("no effect", "pr_debug"),
        ("no effect", "lockdep_assert_held"),
    ]


def test_lower_call_without_a_body_stays_a_call_of_the_type_its_use_asks() -> None:
    text = """void f(struct kvm_vcpu *vcpu)
{
	int r = probe(vcpu);

	if (r < 0 || other(vcpu))
		third(vcpu, &vcpu->arch, X86_FEATURE_Y, "text");
}
"""
    got = body(lower_c(text))
    assert "local %r: int[-1..1]" in got
    assert "call third(%vcpu %vcpu 0:X86_FEATURE_Y 0)" in got


def test_lower_unknown_call_may_change_a_local_it_is_given() -> None:
    text = "int f(void)\n{\n\tbool r = false;\n\n\tfill(&r);\n\treturn r;\n}\n"
    assert '"opaque fill()"' in body(lower_c(text))


def test_lower_request_that_is_not_modelled_wakes_nobody() -> None:
    notes: list[Note] = []
    text = """void f(struct kvm_vcpu *vcpu)
{
	kvm_make_request(KVM_REQ_EVENT, vcpu);
	kvm_make_request(KVM_REQ_OTHER, vcpu);
}
"""
    fn = lower_c(text, notes=notes)
    assert body(fn).count("call kvm_make_request") == 1
    assert [n.kind for n in notes] == ["dropped call"]


def test_lower_takes_the_types_of_the_program_for_its_parameters() -> None:
    decls = program()
    text = "void kvm_arch_vcpu_load(struct kvm_vcpu *vcpu, int cpu)\n{\n\tvcpu->cpu = cpu;\n}\n"
    fn = lower_c(text, decls)
    assert fn.params == decls.funcs["kvm_arch_vcpu_load"].params
    other = lower_c("void g(struct nowhere *p, struct kvm *kvm, void *q)\n{\n}\n", decls)
    assert [t for _, t in other.params] == [ty.BOOL, ty.Ptr("kvm"), ty.BOOL]


def test_lower_every_error_code_is_minus_one_and_said() -> None:
    notes: list[Note] = []
    fn = lower_c("int f(int x)\n{\n\treturn x ? -EINTR : 0;\n}\n", notes=notes)
    assert (run(fn, [1])[0], run(fn, [0])[0]) == (-1, 0)
    assert [(n.kind, n.what) for n in notes] == [("error code", "-EINTR")]


def test_lower_cast_of_an_opaque_pointer_is_any_instance() -> None:
    text = "int f(struct nowhere *p)\n{\n\treturn ((struct kvm_vcpu *)p->priv)->mode;\n}\n"
    assert 'choose 0 $NR_VCPUS "opaque' in body(lower_c(text))


def test_lower_swap_and_this_cpu_counters() -> None:
    decls = program()
    decls.globals["depth"] = VarDecl("depth", ty.Int(0, 9), percpu=True)
    calls = "swap(a, b); __this_cpu_inc(depth); this_cpu_add(depth, b);"
    text = "int f(int a, int b)\n{\n\t" + calls + "\n\treturn a;\n}\n"
    value, memory = run(lower_c(text, decls), [3, 4])
    assert (value, memory["depth", 0]) == (4, 4)
    with pytest.raises(SourceError, match="no per-CPU variable"):
        lower_c("int f(void)\n{\n\treturn this_cpu_read(flag);\n}\n")

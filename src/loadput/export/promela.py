"""A machine as a Promela model for SPIN."""

from __future__ import annotations

from ..base.errors import LoadputError
from ..machine.model import Machine
from .cells import Group
from .rules import Rule, Rules, nested_deep
from .text import PROMELA, Text, group_comment, wrap
from .tree import Cond, Tree

RUN = (
    "spin -a -o1 -o2 -o3 FILE && cc -O2 -DNOREDUCE -DSAFETY -DMEMLIM=8000 pan.c -o pan",
    "./pan -m1000000 -E",
)


def export_promela(machine: Machine, *, checks: bool = False) -> str:
    """Return the model; its reachable states are those of ``machine``, one to one.

    :param checks: with what violates a property, as assertions; they add no state
    Raises LoadputError LP080x for what Promela or this export cannot say.
    """
    with nested_deep():
        return _Promela(Rules(machine, checks=checks)).render()


class _Promela:
    def __init__(self, r: Rules) -> None:
        self.r, self.t = r, Text(r, PROMELA)

    def render(self) -> str:
        t, r = self.t, self.r
        out = ["/*", *(f" * {line}".rstrip() for line in t.header())]
        out += [" *", " * Run it:", *(f" *   {line}" for line in RUN), " */", ""]
        out += ["/* One step is one transition, and no state is hidden: spin -DSTEP=atomic, where"]
        out += [" * every statement is a transition, stores the same states, more slowly. */"]
        out += ["#ifndef STEP", "#define STEP d_step", "#endif", ""]
        out += [self._declare(g) for g in r.cells.groups.values()]
        temps = max((t.temporaries(x.body) for x in r.rules), default=0)
        out += [f"hidden int t{i};" for i in range(temps)]
        out += ["", "/* What the pcs stand for:"]
        out += [f" *   {line}" for line in t.points()] + [" */", ""]
        if r.violations:
            out += ["/* Always 0, so that a failing assert() names the property. */"]
            out += [f"hidden byte {_word(p)};" for p in sorted({v.prop for v in r.violations})]
            out.append("")
        me = r.me
        if me.op != "const":
            out.append(f"#define me ({t.bare(r.steps.task)} - 1)")
        out.append(f"#define irqs_on {t.truth(r.irqs_on)}")
        out.append(f"#define preemption_on {t.truth(r.preemption_on)}")
        out += ["", f"active [{r.m.cpus}] proctype cpu()", "{", "end:\tdo"]
        for rule in r.rules:
            out += self._rule(rule)
        out += self._checks()
        return "\n".join([*out, "\tod", "}", ""])

    def _declare(self, g: Group) -> str:
        kind = _type_of(g.lo, g.hi)
        if g.is_single:
            return f"{kind} {g.ident} = {g.init[0]};  /* {group_comment(g)} */"
        text = f"{kind} {g.ident}[{len(g.init)}] = {self._initial(g)}"
        return f"{text};  /* per {g.per}; {group_comment(g)} */"

    def _initial(self, g: Group) -> str:
        if len(set(g.init)) == 1:
            return str(g.init[0])
        if min(g.init) < 0:
            raise LoadputError(
                "LP0803",
                f"cannot export the start values of {g.name} to Promela",
                got=", ".join(map(str, g.init)),
                expected="one value for all, or none below 0: its initialisers take no sign",
            )
        return "{" + ", ".join(map(str, g.init)) + "}"

    def _rule(self, rule: Rule) -> list[str]:
        guard = wrap(self.t.guard(rule), "&&", "\t\t")
        out = [f"\t/* {rule.title}: {rule.where} */", f"\t:: STEP {{ {guard} ->"]
        return [*out, *self._body(rule.body, "\t\t"), "\t}"]

    def _checks(self) -> list[str]:
        """What a state or one of its steps violates."""
        out = []
        for v in self.r.violations:
            guard = wrap(self.t.guard(v), "&&", "\t\t")
            out += [f"\t/* {v.where} */", f"\t:: STEP {{ {guard} ->"]
            out += [f"\t\tassert({_word(v.prop)});", "\t}"]
        return out

    def _body(self, tree: Tree, indent: str) -> list[str]:
        out: list[str] = []
        for what, s in self.t.statements(tree):
            if isinstance(s, Cond):
                out.append(f"{indent}if")
                out.append(f"{indent}:: {self.t.alone(s.cond)} ->")
                out += self._body(s.yes, indent + "\t")
                out.append(f"{indent}:: else ->")
                out += self._body(s.no, indent + "\t")
                out.append(f"{indent}fi")
            else:
                assert what == "do"
                out.append(f"{indent}{s};")
        return out or [f"{indent}skip"]


def _type_of(lo: int, hi: int) -> str:
    if lo >= 0 and hi <= 1:
        return "bit"
    if lo >= 0 and hi <= 255:
        return "byte"
    return "short" if lo >= -(1 << 15) and hi < 1 << 15 else "int"


def _word(prop: str) -> str:
    return prop.replace("-", "_")

"""A machine as a Murphi model for rumur."""

from __future__ import annotations

from ..machine.model import Machine
from .cells import Group
from .rules import Rule, Rules, Violation, nested_deep
from .text import MURPHI, Text, group_comment, wrap
from .tree import Cond, Tree

RUN = (
    "rumur --symmetry-reduction off --deadlock-detection off FILE -o model.c",
    "cc -std=c11 -O3 -march=native model.c -lpthread -o model && ./model",
)


def export_murphi(machine: Machine, *, checks: bool = False) -> str:
    """Return the model; its reachable states are those of ``machine``, one to one.

    :param checks: with what violates a property, as invariants; rumur stops at the first
    Raises LoadputError LP080x for what this export cannot say.
    """
    with nested_deep():
        return _Murphi(Rules(machine, checks=checks)).render()


class _Murphi:
    def __init__(self, r: Rules) -> None:
        self.r, self.t = r, Text(r, MURPHI)

    def render(self) -> str:
        t, r = self.t, self.r
        out = [f"-- {line}".rstrip() for line in t.header()]
        out += ["--", "-- Run it:", *(f"--   {line}" for line in RUN), ""]
        out.append("type")
        sizes = r.m.program.scenario.sizes
        for per in ("cpu", "task", "vcpu", "vm"):
            out.append(f"  {per}_t: 0..{sizes.count(per) - 1};")
        out += ["", "var"]
        for g in r.cells.groups.values():
            out.append(f"  {g.ident}: {self._type_of(g)};  -- {group_comment(g)}")
        out += ["", "-- What the pcs stand for:"]
        out += [f"--   {line}" for line in t.points()]
        for name, text in (
            ("irqs_on", t.truth(r.irqs_on)),
            ("preemption_on", t.truth(r.preemption_on)),
        ):
            body = f"return {text};"
            if r.me.op != "const":
                body = f"alias me: {t.bare(r.steps.task)} - 1 do {body} end;"
            out += ["", f"function {name}(cpu: cpu_t): boolean;", f"begin {body} end;"]
        return "\n".join([*out, "", *self._start(), "", *self._rules(), "", *self._checks()])

    def _rules(self) -> list[str]:
        out = ["ruleset cpu: cpu_t do"]
        named = self.r.me.op != "const"
        if named:
            out.append(f"alias me: {self.t.bare(self.r.steps.task)} - 1 do")
        for rule in self.r.rules:
            out += self._rule(rule)
        return [*out, *(["end;"] if named else []), "end;"]

    def _type_of(self, g: Group) -> str:
        if g.is_single:
            return f"{g.lo}..{g.hi}"
        flat = g.per == "slot" or len(g.init) != self._count(g.per)
        index = f"0..{len(g.init) - 1}" if flat else f"{g.per}_t"
        return f"array [{index}] of {g.lo}..{g.hi}"

    def _count(self, per: str) -> int:
        return self.r.m.program.scenario.sizes.count(per)

    def _start(self) -> list[str]:
        out = ["startstate", "begin"]
        for g in self.r.cells.groups.values():
            if g.is_single:
                out.append(f"  {g.ident} := {g.init[0]};")
            else:
                out += [f"  {g.ident}[{i}] := {v};" for i, v in enumerate(g.init)]
        return [*out, "end;"]

    def _rule(self, rule: Rule) -> list[str]:
        guard = self._guard(rule)
        out = [f"-- {rule.where}", f'rule "{rule.title}"', f"  {guard}", "==>"]
        temps = self.t.temporaries(rule.body)
        out += [f"var t{i}: -1024..1024;" for i in range(temps)]
        return [*out, "begin", *self._body(rule.body, "  "), "end;", ""]

    def _guard(self, rule: Rule | Violation) -> str:
        guard = wrap(self.t.guard(rule), "&", "  ")
        for name in ("irqs_on", "preemption_on"):
            guard = guard.replace(name, f"{name}(cpu)")
        return guard

    def _checks(self) -> list[str]:
        """What a state or one of its steps violates, as invariants."""
        out: list[str] = []
        self.t.named = False
        for v in self.r.violations:
            out += [f"-- {v.where}", f'invariant "{v.title}"']
            out += ["  !exists cpu: cpu_t do", f"  {self._guard(v)}", "  end;", ""]
        self.t.named = True
        return out

    def _body(self, tree: Tree, indent: str) -> list[str]:
        out: list[str] = []
        for _, s in self.t.statements(tree):
            if isinstance(s, Cond):
                out.append(f"{indent}if {self.t.alone(s.cond)} then")
                out += self._body(s.yes, indent + "  ")
                out.append(f"{indent}else")
                out += self._body(s.no, indent + "  ")
                out.append(f"{indent}end;")
            else:
                out.append(f"{indent}{s};")
        return out

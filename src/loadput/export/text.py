"""Expressions, decisions and writes as text: what Promela and Murphi differ in is a dialect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .cells import Group
from .expr import E
from .rules import Rule, Rules, Violation
from .tree import Cond, Leaf, Tree, Write, sequence

WIDTH = 96


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a language writes operators, decisions and assignments."""

    ops: dict[str, str]
    cpu: str
    negate: str
    ite: str
    assign: str
    truth: bool


PROMELA = Dialect(
    {
        **{"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "and": "&", "or": "|"},
        **{"xor": "^", "shl": "<<", "shr": ">>", "eq": "==", "ne": "!=", "lt": "<", "le": "<="},
        **{"all": "&&", "any": "||", "neg": "-", "inv": "~"},
    },
    "_pid",
    "!{}",
    "({} -> {} : {})",
    "{} = {}",
    True,
)
MURPHI = Dialect(
    {
        **{"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "and": "&", "or": "|"},
        **{"xor": "^", "shl": "<<", "shr": ">>", "eq": "=", "ne": "!=", "lt": "<", "le": "<="},
        **{"all": "&", "any": "|", "neg": "-", "inv": "~"},
    },
    "cpu",
    "!({})",
    "({} ? {} : {})",
    "{} := {}",
    False,
)
CONDITIONS = ("eq", "ne", "lt", "le", "all", "any")


class Text:
    """Renders the parts of a model in one dialect."""

    def __init__(self, rules: Rules, d: Dialect) -> None:
        self.r, self.d, self.named = rules, d, True

    def number(self, e: E) -> str:
        """``e`` as a number, in parentheses where it needs them."""
        d = self.d
        if e.op == "const":
            return str(e.value) if e.value >= 0 else f"({e.value})"
        if e is self.r.me and self.named:
            return "me"
        if e.op == "cpu":
            return d.cpu
        if e.op == "name":
            return e.name
        if e.op == "read":
            return self.cell(e.name, e.args[0])
        if e.op == "ite":
            c, a, b = e.args
            return d.ite.format(self.truth(c), self.number(a), self.number(b))
        if e.op in CONDITIONS:
            true = self.truth(e)
            return true if d.truth else f"({true} ? 1 : 0)"
        if e.op in ("neg", "inv"):
            return f"({d.ops[e.op]}{self.number(e.args[0])})"
        a, b = e.args
        if e.op == "add" and b.op == "const" and b.value < 0:
            return f"({self.number(a)} - {-b.value})"
        return f"({self.number(a)} {d.ops[e.op]} {self.number(b)})"

    def truth(self, e: E) -> str:
        """``e`` as a condition, in parentheses where it needs them."""
        d = self.d
        if e.op == "const":
            return ("true" if e.value else "false") if not d.truth else str(int(bool(e.value)))
        if e.op == "name":
            return e.name
        if e.op in ("all", "any"):
            return "(" + f" {d.ops[e.op]} ".join(self.truth(a) for a in e.args) + ")"
        if e.op == "ite":
            c, a, b = e.args
            return d.ite.format(self.truth(c), self.truth(a), self.truth(b))
        if e.op == "eq" and e.args[0].is_bool and e.args[1].op == "const" and d.truth:
            return d.negate.format(self.number(e.args[0]))
        if e.op in CONDITIONS:
            return f"({self.side(e.args[0])} {d.ops[e.op]} {self.side(e.args[1])})"
        if d.truth:
            return self.number(e)
        return f"({self.number(e)} {d.ops['ne']} 0)" if not e.is_bool else f"({self.number(e)} = 1)"

    def bare(self, e: E) -> str:
        """``e`` as a number without outer parentheses, but those of a choice between two."""
        chosen = e.op == "ite" or (e.op in CONDITIONS and not self.d.truth)
        return self.number(e) if chosen else strip(self.number(e))

    def side(self, e: E) -> str:
        """``e`` as a side of a comparison: others bind no closer than it, and & | ^ less close."""
        loose = e.op in CONDITIONS or e.op in ("and", "or", "xor")
        return self.number(e) if loose else self.bare(e)

    def alone(self, e: E) -> str:
        """``e`` as a condition without outer parentheses, but those of a choice between two."""
        return self.truth(e) if e.op == "ite" else strip(self.truth(e))

    def cell(self, name: str, index: E) -> str:
        """One element of a variable."""
        g = self.r.cells.groups[name]
        return g.ident if g.is_single else f"{g.ident}[{self.bare(index)}]"

    # bodies

    def guard(self, rule: Rule | Violation) -> list[str]:
        """Every condition of ``rule``, to be joined by "and"."""
        parts = list(rule.guard.args) if rule.guard.op == "all" else [rule.guard]
        more = [self.truth(p) for p in parts if p is not self.r.x.one]
        at = [self.truth(e) for e in self.r.at(*rule.at)]
        return at + more or [self.truth(self.r.x.one)]

    def statements(self, t: Tree) -> Iterator[tuple[str, str | Cond]]:
        """The end of ``t`` as assignments, or its decision, as ("do", text) or ("if", Cond)."""
        if isinstance(t, Cond):
            yield "if", t
        elif isinstance(t, Leaf):
            for name, w in sequence(self.r.x, t.writes):
                if isinstance(w, Write):
                    yield "do", self.d.assign.format(self.cell(w.name, w.index), self.bare(w.value))
                else:
                    yield "do", self.d.assign.format(name, self.bare(w))

    def temporaries(self, t: Tree) -> int:
        """How many temporaries ``t`` needs."""
        if isinstance(t, Cond):
            return max(self.temporaries(t.yes), self.temporaries(t.no))
        assert isinstance(t, Leaf)
        return sum(1 for name, _ in sequence(self.r.x, t.writes) if name)

    # what every model says

    def header(self) -> list[str]:
        """What this is, and what a state of it is."""
        p = self.r.m.program
        s = p.scenario
        return [
            f"{p.choice.title}, scenario {s.name}",
            f"{s.cpus} CPU(s), {len(s.tasks)} thread(s) and {s.cpus} idle task(s), "
            f"{len(s.vms)} vCPU(s)",
            "",
            "A state is the value of every variable below. Every rule is one step of one CPU:",
            "its guard and its assignments speak of the state in which it begins.",
        ]

    def points(self) -> Iterator[str]:
        """The control points of each kind of frame: what a pc stands for."""
        for kind in ("main", "sched", "irq"):
            for pc, node in enumerate(self.r.m.fused.control[kind], 1):
                n = self.r.m.graph.nodes[node]
                on = "" if n.irqs_off else ", IRQs on"
                yield f"{kind} {pc:3d}  {self.r.place(n)}{on}"


def strip(text: str) -> str:
    """``text`` without parentheses that enclose all of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for i, ch in enumerate(text):
        depth += (ch == "(") - (ch == ")")
        if depth == 0:
            return text[1:-1] if i == len(text) - 1 else text
    return text


def wrap(parts: list[str], join: str, indent: str) -> str:
    """``parts`` joined by ``join``, broken after it where a line gets too long."""
    lines = [parts[0]]
    for p in parts[1:]:
        if len(indent) + len(lines[-1]) + len(join) + len(p) + 2 > WIDTH:
            lines[-1] += f" {join}"
            lines.append(p)
        else:
            lines[-1] += f" {join} {p}"
    return f"\n{indent}".join(lines)


def group_comment(g: Group) -> str:
    """What a variable is, for the end of its line."""
    return g.name + (f": {g.note}" if g.note else "")

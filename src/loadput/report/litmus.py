"""The circle of a path as a litmus test in the C that Linux's memory model is written for.

The dialect is herd7's, as in the kernel's tools/memory-model/Documentation/litmus-tests.txt.
"""

from __future__ import annotations

import re
import textwrap

from ..check.accesses import READ, WRITE, Access, Cell
from ..check.cycle import BEFORE, NEXT, OVERWRITTEN, READ_BY, Circle
from ..check.story import value_text, variable_name
from ..machine.model import Machine

FENCES = {
    "rmb": ("smp_rmb", ""),
    "wmb": ("smp_wmb", ""),
    "mb": ("smp_mb", ""),
    "locked": ("smp_mb", "a locked instruction"),
    "irq": ("smp_mb", "an interrupt begins or ends"),
    "switch": ("smp_mb", "the task is switched"),
}
UNDER_LOCK = ("smp_mb", "a locked instruction")
NAME = re.compile(r"[^A-Za-z0-9]+")


TOLD = {
    NEXT: "{a}, then {b}",
    READ_BY: "{a} before {who} reads that",
    OVERWRITTEN: "{a} before {who} writes it",
    BEFORE: "{a} before {who} does",
}


def render_litmus(m: Machine, found: Circle, title: str, prop: str, steps: int) -> str:
    """The test; its ``exists`` clause is what the path did.

    :param title: the program, as a report names it
    :param prop: what the path violates
    :param steps: how many it has
    """
    test = _Test(m, found)
    scenario = m.program.scenario
    told = f"{prop} is violated after {steps} steps: {title}, scenario {scenario.name}."
    told += " Of the accesses on the way, those by which it is not sequentially consistent:"
    about = textwrap.wrap(told, 69, break_on_hyphens=False, break_long_words=False)
    about += [f"  {line}" for line in test.circle()]
    return test.render(f"{m.program.choice.arch}-{prop}", about)


class _Test:
    def __init__(self, m: Machine, found: Circle) -> None:
        self.m, self.found = m, found
        cells = sorted(found.first)
        self.names = {c: NAME.sub("_", variable_name(m, *c)).strip("_") for c in cells}
        self.values: dict[Access, int] = {}
        self.first: dict[Cell, int] = {}
        for c in cells:
            self._number(c)
        self.asked: list[str] = []

    def _number(self, c: Cell) -> None:
        """What is there first, and what each write writes, as numbers that tell them apart."""
        writes = self.found.writes(c)
        row = [self.found.first[c], *(w.value for w in writes)]
        told = row if len(set(row)) == len(row) and min(row) >= 0 else range(len(row))
        self.first[c], *rest = told
        self.values |= dict(zip(writes, rest, strict=True))

    def render(self, name: str, about: list[str]) -> str:
        """The whole text."""
        threads = [self._thread(k, row) for k, row in enumerate(self.found.threads.values())]
        for c in sorted(self.names):
            if len(writes := self.found.writes(c)) > 1:
                self.asked.append(f"{self.names[c]}={self.values[writes[-1]]}")
        first = [f"\t{self.names[c]}={x};\n" for c, x in sorted(self.first.items()) if x]
        out = [f"C {name}", "", "(*", *(f" * {line}".rstrip() for line in about), " *)", ""]
        out += ["{\n" + "".join(first) + "}" if first else "{}", ""]
        for text in threads:
            out += [text, ""]
        asked = " /\\ ".join(self.asked)
        return "\n".join([*out, f"exists ({asked})"]) + "\n"

    def circle(self) -> list[str]:
        """How each access comes before the next, in words."""
        numbers = {cpu: f"P{k}" for k, cpu in enumerate(self.found.threads)}
        rows, out = self.found.accesses, []
        for a, how, b in zip(rows, self.found.edges, [*rows[1:], rows[0]], strict=True):
            out.append(
                TOLD[how].format(
                    a=f"{numbers[a.cpu]} {a.kind}s {self.names[a.cell]}",
                    b=f"{b.kind}s {self.names[b.cell]}",
                    who=numbers[b.cpu],
                )
            )
        return out

    def _thread(self, k: int, row: list[Access]) -> str:
        """One CPU's accesses as a function."""
        named = dict.fromkeys(self.names[a.cell] for a in row)
        lines: list[str] = []
        regs = 0
        left = list(row)
        while left:
            a = left.pop(0)
            if (fence := self.found.fences.get(a)) is not None:
                lines.append(self._fence(fence))
            pair = left[0] if left and _is_pair(a, left[0]) else None
            left = left[1:] if pair is not None else left
            reads = a.kind == READ
            write = pair if pair is not None else a
            reg = ""
            if reads or _is_locked(write):
                reg, regs = f"r{regs}", regs + 1
            if reads:
                self.asked.append(f"{k}:{reg}={self._value(a)}")
            lines.append(self._access(a, write, reg))
        head = f"P{k}({', '.join(f'int *{n}' for n in named)})\n{{\n"
        told = "".join(f"\tint r{i};\n" for i in range(regs))
        return head + told + ("\n" if regs else "") + "\n".join(lines) + "\n}"

    def _value(self, a: Access) -> int:
        """What a read finds, by the test's numbers."""
        if a.source in self.values:
            return self.values[a.source]
        return self.first[a.cell]

    def _fence(self, x: Access) -> str:
        call, why = FENCES.get(x.mark, UNDER_LOCK) if x.kind != WRITE else UNDER_LOCK
        told = f"{why}, " if why else ""
        return f"\t{call}(); /* {told}{x.function}() */"

    def _access(self, a: Access, write: Access, reg: str) -> str:
        """The statement of a read, of a write, or of both as one instruction."""
        at = self.names[a.cell]
        if write.kind == READ:
            call = "smp_load_acquire({})" if a.mark == "acquire" else "READ_ONCE(*{})"
            text = f"{reg} = {call.format(at)};"
        else:
            value = self.values[write]
            text = f"WRITE_ONCE(*{at}, {value});"
            if reg:
                relaxed = "_relaxed" if self.found.weak and not write.region else ""
                text = f"{reg} = xchg{relaxed}({at}, {value});"
            elif write.mark == "release":
                text = f"smp_store_release({at}, {value});"
        told = value_text(self.m, a.cell[0], write.value)
        plain = ", plain" if a.mark == "plain" else ""
        return f"\t{text} /* {a.who} {a.function}(): {told}{plain} */"


def _is_pair(a: Access, b: Access) -> bool:
    """Whether both are of one read-modify-write."""
    return (a.kind, b.kind) == (READ, WRITE) and a.cell == b.cell and 0 < a.region == b.region


def _is_locked(a: Access) -> bool:
    return a.kind == WRITE and (a.mark == "locked" or a.region > 0)

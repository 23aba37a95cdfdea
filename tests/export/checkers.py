"""Running exported models: by evaluating the rules, in SPIN, and in rumur."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from loadput.export.expr import E
from loadput.export.rules import Rules
from loadput.export.tree import Cond, Leaf
from loadput.ir.eval import binary, unary
from loadput.run.interp import State

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from sound.spin import run_command, run_spin

__all__ = ["Evaluator", "needs", "run_rumur", "run_spin"]

RUMUR = "rumur --symmetry-reduction off --deadlock-detection off m.m -o m.c"
MODEL = "cc -std=c11 {level} m.c -lpthread -mcx16 -o m"


def needs(*tools: str) -> pytest.MarkDecorator:
    """Skips where one of ``tools`` is not installed."""
    missing = [t for t in tools if not shutil.which(t)]
    why = f"no {', '.join(missing)} here: on Debian, apt-get install spin rumur gcc"
    return pytest.mark.skipif(bool(missing), reason=why)


class Evaluator:
    """Steps of a state by the rules of an export, as numbers."""

    def __init__(self, r: Rules) -> None:
        self.r = r
        self.at = {n: g.at for n, g in r.cells.groups.items()}

    def value(self, e: E, s: State, cpu: int) -> int:
        """The value of ``e`` in state ``s``."""
        if e.op == "const":
            return e.value
        if e.op == "cpu":
            return cpu
        if e.op == "name":
            return self.value(getattr(self.r, e.name), s, cpu)
        if e.op in ("all", "any"):
            rest = (bool(self.value(a, s, cpu)) for a in e.args)
            return int(all(rest) if e.op == "all" else any(rest))
        if e.op == "ite":
            return self.value(e.args[1 if self.value(e.args[0], s, cpu) else 2], s, cpu)
        args = [self.value(a, s, cpu) for a in e.args]
        if e.op == "read":
            assert 0 <= args[0] < len(self.r.cells.groups[e.name].init)
            return s[self.at[e.name] + args[0]]
        return unary(e.op, *args) if len(args) == 1 else binary(e.op, *args)

    def steps(self, s: State) -> list[State]:
        """Every next state, once a rule and CPU."""
        out = []
        for cpu in range(self.r.m.cpus):
            for rule in self.r.rules:
                conds = [*self.r.at(*rule.at), rule.guard]
                if all(self.value(c, s, cpu) for c in conds):
                    body = rule.body
                    while isinstance(body, Cond):
                        body = body.yes if self.value(body.cond, s, cpu) else body.no
                    assert isinstance(body, Leaf)
                    new = list(s)
                    for w in body.writes:
                        new[self.at[w.name] + self.value(w.index, s, cpu)] = self.value(
                            w.value, s, cpu
                        )
                    out.append(tuple(new))
        return out


def run_rumur(model: str, folder: Path, *, level: str = "-O0") -> tuple[int, int]:
    """States and rules fired in rumur."""
    (folder / "m.m").write_text(model)
    run_command(RUMUR, folder)
    run_command(MODEL.format(level=level), folder)
    text = run_command("./m", folder)
    found = re.search(r"(\d+) states, (\d+) rules fired", text)
    assert found and "No error found" in text, text[-800:]
    return int(found[1]), int(found[2])

"""Changing a function of kernel Python, one statement at a time.

Statements are numbered as they stand in the function, from the first to the last, nested ones too;
an edit names them by number, so that it says the same whatever other edits were made before it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

KINDS = {
    "drop": "a statement is dropped",
    "double": "a statement is there twice",
    "swap": "two neighbours change places",
    "move": "a statement moves, also out of or into a branch, a loop, an atomic section",
    "atomic": "an atomic section begins later or earlier, ends earlier or later, or is gone",
    "unprotect": "preemption or interrupts are not switched off",
    "narrow": "preemption or interrupts are off for less",
    "widen": "preemption or interrupts are off for more",
    "protect": "preemption or interrupts are off where they were on",
    "negate": "a condition is negated",
    "early": "the function returns early",
    "wait": "it waits, or the scheduler may come in",
    "keep": "a value that was read later is read before",
    "plant": "statements of another function stand here too",
    "probe": "a place is read twice, and a property asks whether it is the same",
}
OFF = ("preempt_disable", "local_irq_disable", "local_irq_save", "get_cpu")
ENDS = {
    "preempt_disable": ("preempt_enable", "preempt_enable_no_resched"),
    "local_irq_disable": ("local_irq_enable",),
    "local_irq_save": ("local_irq_restore",),
    "get_cpu": ("put_cpu",),
}
ON = tuple(e for ends in ENDS.values() for e in ends)
WRAP = {
    "preempt": ("preempt_disable()", "preempt_enable()"),
    "irq": ("local_irq_disable()", "local_irq_enable()"),
    "atomic": ("", ""),
}
PROBE, KEPT, SEEN = "probe_{}", "kept_{}", "seen_{}"


class Unfit(Exception):
    """An edit that this function cannot take."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of function ``fn`` at statement ``at``.

    :param to: another statement, or by how much; ``text``: source that it brings
    """

    kind: str
    fn: str
    at: int
    to: int = 0
    text: str = ""


Body = list[ast.stmt]


def number(fn: ast.FunctionDef) -> ast.FunctionDef:
    """A copy of ``fn`` without its docstring, with its statements numbered."""
    fn = copy.deepcopy(fn)
    if ast.get_docstring(fn) is not None:
        del fn.body[0]
    for i, s in enumerate(statements(fn)):
        s.number = i  # type: ignore[attr-defined]
    return fn


def bodies(node: ast.AST) -> Iterator[Body]:
    """The statement lists of ``node``, outer before inner."""
    for name in ("body", "orelse"):
        rows = getattr(node, name, None)
        if isinstance(rows, list):
            yield rows
            for s in rows:
                yield from bodies(s)


def statements(fn: ast.AST) -> list[ast.stmt]:
    """Every statement, a compound one before what is in it."""
    out: list[ast.stmt] = []
    for name in ("body", "orelse"):
        for s in getattr(fn, name, None) or []:
            out.append(s)
            out += statements(s)
    return out


def number_of(s: ast.stmt) -> int:
    """Its number; -1 for one that an edit brought."""
    return int(getattr(s, "number", -1))


def called(s: ast.stmt) -> str:
    """The function that a statement ``f(...)`` or ``x = f(...)`` calls, or ""."""
    value = s.value if isinstance(s, ast.Expr | ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id
    return ""


def find(fn: ast.FunctionDef, n: int) -> tuple[Body, int]:
    """The list that statement ``n`` is in, and where; raises Unfit where it is gone."""
    for rows in bodies(fn):
        for i, s in enumerate(rows):
            if number_of(s) == n:
                return rows, i
    raise Unfit(f"no statement {n}")


def parse(text: str) -> Body:
    """The statements of ``text``, as an edit brings them."""
    return ast.parse(text).body


def edit(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    """Change ``fn``; raises Unfit. ``nth``: the edit's own number, for the names that it brings."""
    _DOES[e.kind](fn, e, nth)
    for rows in bodies(fn):
        if not rows and rows is not getattr(fn, "orelse", None):
            rows.append(ast.Pass())
    for s in statements(fn):
        if getattr(s, "orelse", None) and all(isinstance(x, ast.Pass) for x in s.orelse):  # type: ignore[attr-defined]
            s.orelse = []  # type: ignore[attr-defined]


def _drop(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    rows, i = find(fn, e.at)
    del rows[i]


def _double(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    rows, i = find(fn, e.at)
    rows.insert(i + 1, _brought(rows[i]))


def _brought(s: ast.stmt) -> ast.stmt:
    new = copy.deepcopy(s)
    for x in (new, *statements(new)):
        x.number = -1  # type: ignore[attr-defined]
    return new


def _swap(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    rows, i = find(fn, e.at)
    if i + 1 >= len(rows):
        raise Unfit("it is the last")
    rows[i], rows[i + 1] = rows[i + 1], rows[i]


def _move(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    rows, i = find(fn, e.at)
    s = rows[i]
    if e.to == e.at or e.to in {number_of(x) for x in statements(s)}:
        raise Unfit("into itself")
    find(fn, e.to)
    del rows[i]
    to, j = find(fn, e.to)
    to.insert(j, s)


def _atomic(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    """``text``: which end of the section moves which way, or ``gone``."""
    rows, i = find(fn, e.at)
    s = rows[i]
    if not isinstance(s, ast.With):
        raise Unfit("no atomic section")
    if e.text == "gone":
        rows[i : i + 1] = s.body
    elif e.text == "later" and len(s.body) > 1:
        rows.insert(i, s.body.pop(0))
    elif e.text == "sooner" and len(s.body) > 1:
        rows.insert(i + 1, s.body.pop())
    elif e.text == "before" and i > 0:
        s.body.insert(0, rows.pop(i - 1))
    elif e.text == "after" and i + 1 < len(rows):
        s.body.append(rows.pop(i + 1))
    else:
        raise Unfit(e.text)


def _unprotect(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    rows, i = find(fn, e.at)
    s = rows[i]
    what = called(s)
    if what not in OFF:
        raise Unfit("switches nothing off")
    ends = ENDS[what]
    last = next((j for j in range(i + 1, len(rows)) if called(rows[j]) in ends), len(rows))
    inside = [x for r in rows[i + 1 : last + 1] for x in (r, *statements(r))]
    if last == len(rows):
        inside = [x for x in statements(fn) if number_of(x) > e.at]
    gone = [x for x in inside if called(x) in ends]
    for body in list(bodies(fn)):
        body[:] = [x for x in body if x not in gone]
    if what == "get_cpu" and isinstance(s, ast.Assign):
        s.value.func.id = "smp_processor_id"  # type: ignore[attr-defined]
    else:
        rows.remove(s)


def _shift(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    """The statement at ``at`` moves by ``to`` places in its list, not past its other end."""
    rows, i = find(fn, e.at)
    s = rows[i]
    j = i + e.to
    if not 0 <= j < len(rows) or called(s) not in (*OFF, *ON):
        raise Unfit("no room")
    passed = rows[min(i, j) : max(i, j) + 1]
    if any(called(x) in (*OFF, *ON) or isinstance(x, ast.Return) for x in passed if x is not s):
        raise Unfit("past its other end")
    rows.insert(j, rows.pop(i))


def _protect(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    rows, i = find(fn, e.at)
    last = next((k for k, s in enumerate(rows) if number_of(s) == e.to), -1)
    if last < i or any(isinstance(x, ast.Return) for s in rows[i : last + 1] for x in ast.walk(s)):
        raise Unfit("no row of statements")
    inside = rows[i : last + 1]
    if e.text == "atomic":
        rows[i : last + 1] = [ast.With([ast.withitem(ast.Name("atomic"))], inside)]
        return
    before, after = WRAP[e.text]
    rows[i : last + 1] = [*parse(before), *inside, *parse(after)]


def _negate(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    rows, i = find(fn, e.at)
    s = rows[i]
    if not isinstance(s, ast.If | ast.While):
        raise Unfit("no condition")
    s.test = ast.UnaryOp(ast.Not(), s.test)


def _insert(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    """``text`` comes before the statement."""
    rows, i = find(fn, e.at)
    rows[i:i] = parse(e.text)


class _Replace(ast.NodeTransformer):
    def __init__(self, text: str, new: str) -> None:
        self.text, self.new, self.done = text, new, False

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and not self.done and ast.unparse(node) == self.text:
            if not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
                self.done = True
                return ast.Name(self.new, ast.Load())
        return self.generic_visit(node)


def _keep(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    rows, i = find(fn, e.to)
    change = _Replace(e.text, KEPT.format(nth))
    s = rows[i]
    if isinstance(s, ast.If | ast.While):
        s.test = change.visit(s.test)
    elif isinstance(s, ast.For | ast.With):
        raise Unfit("a loop")
    else:
        rows[i] = new = change.visit(s)
        new.number = e.to
    if not change.done:
        raise Unfit(f"no {e.text}")
    rows, i = find(fn, e.at)
    rows[i:i] = parse(f"{KEPT.format(nth)} = {e.text}")


def _probe(fn: ast.FunctionDef, e: Edit, nth: int) -> None:
    """Read before ``at``, and again before ``to`` or after it where both are the same."""
    rows, i = find(fn, e.at)
    rows[i:i] = parse(f"{SEEN.format(nth)} = {e.text}")
    rows, i = find(fn, e.to)
    i += e.to == e.at
    rows[i:i] = parse(f"{PROBE.format(nth)}({SEEN.format(nth)}, {e.text})")


_DOES: dict[str, Callable[[ast.FunctionDef, Edit, int], None]] = {
    "drop": _drop,
    "double": _double,
    "swap": _swap,
    "move": _move,
    "atomic": _atomic,
    "unprotect": _unprotect,
    "narrow": _shift,
    "widen": _shift,
    "protect": _protect,
    "negate": _negate,
    "early": _insert,
    "wait": _insert,
    "keep": _keep,
    "plant": _insert,
    "probe": _probe,
}

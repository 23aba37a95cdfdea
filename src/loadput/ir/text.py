"""The IR as text that parses back to the equal IR."""

from __future__ import annotations

import re

from ..base.errors import IRError
from ..base.source import NOWHERE, Span
from . import ops as o
from .types import Type, parse_type


def render_expr(e: o.Expr) -> str:
    """One expression, prefix form: ``(eq %x 1)``."""
    if isinstance(e, o.Const):
        return f"{e.value}:{e.name}" if e.name else str(e.value)
    if isinstance(e, o.Sym):
        return f"${e.name}"
    if isinstance(e, o.Local):
        return f"%{e.name}"
    if isinstance(e, o.Leaf):
        return f"@{e.name}"
    if isinstance(e, o.Un):
        return f"({e.op} {render_expr(e.a)})"
    return f"({e.op} {render_expr(e.a)} {render_expr(e.b)})"


def render_place(p: o.Place) -> str:
    """``var[index]`` or ``var[index][slot]``."""
    index = f"[{render_expr(p.index)}]" if p.index is not None else ""
    sub = f"[{render_expr(p.sub)}]" if p.sub is not None else ""
    return p.var + (index or ("[]" if sub else "")) + sub


def render_op(op: o.Op) -> str:
    """One operation, without its source place."""
    if isinstance(op, o.Assign):
        return f"%{op.dst} = {render_expr(op.expr)}"
    if isinstance(op, o.Load):
        return f"%{op.dst} = load.{op.mark} {render_place(op.place)}"
    if isinstance(op, o.Store):
        return f"store.{op.mark} {render_place(op.place)} = {render_expr(op.expr)}"
    if isinstance(op, o.Fresh):
        return f"fresh {render_place(op.place)} = {render_expr(op.owner)}"
    if isinstance(op, o.Call):
        args = " ".join(render_expr(a) for a in op.args)
        return (f"%{op.dst} = " if op.dst else "") + f"call {op.fn}({args})"
    if isinstance(op, o.Choose):
        why = f' "{op.why}"' if op.why else ""
        return f"%{op.dst} = choose {render_expr(op.lo)} {render_expr(op.hi)}{why}"
    if isinstance(op, o.Assume):
        return f"assume {render_expr(op.cond)}"
    if isinstance(op, o.Check):
        return f"check {op.prop} {render_expr(op.cond)}"
    if isinstance(op, o.Atomic):
        return f"ghost.{op.ghost} " * bool(op.ghost) + "atomic " + ("{" if op.on else "}")
    if isinstance(op, o.Ctl):
        return f"ctl {op.what}" + (f" %{op.var}" if op.var else "")
    if isinstance(op, o.Barrier):
        return f"barrier {op.kind}"
    if isinstance(op, o.Branch):
        return f"br {render_expr(op.cond)} {op.then} {op.other}"
    if isinstance(op, o.Jump):
        return f"jmp {op.to}"
    return "ret" + (f" {render_expr(op.expr)}" if op.expr is not None else "")


def _span(s: Span) -> str:
    return "" if s == NOWHERE else f"  !{s.file}:{s.line}:{s.col}:{s.length}"


def render_function(fn: o.Function, *, spans: bool = True) -> str:
    """The function as text; ``parse_function`` gives it back, doc aside."""
    params = ", ".join(f"%{n}: {t}" for n, t in fn.params)
    attrs = "".join(f" #{a}" for a in fn.attrs)
    where = _span(fn.span) if spans else ""
    out = [f"fn {fn.name}({params}) -> {fn.ret}{attrs} from {fn.origin}{where}"]
    out += [f"  local %{n}: {t}" for n, t in fn.locals]
    for b in fn.blocks:
        out.append(f"  {b.label}:")
        out += [f"    {render_op(op)}{_span(op.span) if spans else ''}" for op in b.ops]
    return "\n".join(out) + "\n"


_TOKEN = re.compile(r'\s*("[^"]*"|[()\[\]]|[^\s()\[\]"]+)')


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, want: str = "") -> str:
        got = self.peek()
        if (want and got != want) or not got:
            raise IRError("LP0301", f"IR text: got '{got}'", expected=want or "a token")
        self.at += 1
        return got

    def expr(self) -> o.Expr:
        t = self.take()
        if t == "(":
            op = self.take()
            a = self.expr()
            e: o.Expr = o.Un(op, a) if op in o.UNARY else o.Bin(op, a, self.expr())
            self.take(")")
            return e
        if t[0] in "$%@":
            return o.Sym(t[1:]) if t[0] == "$" else (o.Local if t[0] == "%" else o.Leaf)(t[1:])
        value, _, name = t.partition(":")
        return o.Const(int(value), name)

    def place(self) -> o.Place:
        var = self.take()
        found: list[o.Expr | None] = []
        while self.peek() == "[":
            self.take("[")
            found.append(None if self.peek() == "]" else self.expr())
            self.take("]")
        return o.Place(var, *found)


def _parse_span(text: str) -> tuple[str, Span]:
    body, sep, tail = text.rpartition("  !")
    if not sep:
        return text, NOWHERE
    file, line, col, length = tail.rsplit(":", 3)
    return body, Span(file, int(line), int(col), int(length))


def parse_op(text: str) -> o.Op:
    """The operation that ``render_op`` (with its place) printed."""
    text, span = _parse_span(text)
    r = _Reader(text)
    head = r.take()
    dst = ""
    if head.startswith("%"):
        dst = head[1:]
        r.take("=")
        head = r.peek()
        if head == "(" or head[0] in "$%@-0123456789":
            return o.Assign(dst, r.expr(), span)
        r.take()
    kind, _, mark = head.partition(".")
    if kind == "load":
        return o.Load(dst, r.place(), mark, span)
    if kind in ("store", "fresh"):
        place = r.place()
        r.take("=")
        value = r.expr()
        if kind == "fresh":
            return o.Fresh(place, value, span)
        return o.Store(place, value, mark, span)
    if kind == "call":
        fn = r.take()
        r.take("(")
        args = []
        while r.peek() != ")":
            args.append(r.expr())
        return o.Call(dst, fn, tuple(args), span)
    if kind == "choose":
        lo, hi = r.expr(), r.expr()
        return o.Choose(dst, lo, hi, r.take().strip('"') if r.peek() else "", span)
    if kind == "assume":
        return o.Assume(r.expr(), span)
    if kind == "check":
        return o.Check(r.take(), r.expr(), span)
    if kind in ("atomic", "ghost"):
        if kind == "ghost":
            r.take("atomic")
        return o.Atomic(r.take() == "{", span, mark)
    if kind == "ctl":
        return o.Ctl(r.take(), r.take()[1:] if r.peek() else "", span)
    if kind == "barrier":
        return o.Barrier(r.take(), span)
    if kind == "br":
        cond = r.expr()
        return o.Branch(cond, r.take(), r.take(), span)
    if kind == "jmp":
        return o.Jump(r.take(), span)
    if kind == "ret":
        return o.Return(r.expr() if r.peek() else None, span)
    raise IRError("LP0301", f"IR text: unknown operation '{text.strip()}'", expected="an operation")


_HEAD = re.compile(r"fn (\S+)\((.*)\) -> (.*?)((?: #\S+)*) from (\S+)$")


def _parse_var(text: str) -> tuple[str, Type]:
    name, _, t = text.partition(": ")
    return name.strip().lstrip("%"), parse_type(t)


def parse_function(text: str) -> o.Function:
    """The function that ``render_function`` printed (doc is not part of it)."""
    lines = text.rstrip("\n").split("\n")
    head, span = _parse_span(lines[0])
    m = _HEAD.match(head)
    if not m:
        raise IRError(
            "LP0301", f"IR text: '{lines[0]}'", expected="fn NAME(...) -> TYPE from ORIGIN"
        )
    params = [_parse_var(p.rstrip(", ")) for p in m[2].split("%") if p]
    local: list[tuple[str, Type]] = []
    blocks: list[o.Block] = []
    label, body = "", []
    for line in lines[1:]:
        if line.startswith("  local "):
            local.append(_parse_var(line[8:]))
        elif line.startswith("    "):
            body.append(parse_op(line))
        else:
            if label:
                blocks.append(o.Block(label, tuple(body)))
            label, body = line.strip().rstrip(":"), []
    blocks.append(o.Block(label, tuple(body)))
    attrs = tuple(a.lstrip("#") for a in m[4].split())
    return o.Function(
        m[1], tuple(params), parse_type(m[3]), tuple(local), tuple(blocks), attrs, m[5], span
    )

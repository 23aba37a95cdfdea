"""A syntax tree as kernel Python again: for reports, and as text that trees are compared by."""

from __future__ import annotations

from collections.abc import Iterable

from . import syntax as s

PYTHON = {"&&": "and", "||": "or", "/": "//"}
LEVEL = {
    **{"||": 1, "&&": 2, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "|": 5, "^": 6},
    **{"&": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10},
}


def render_expr(e: s.Expr, level: int = 0) -> str:
    """``e`` as kernel Python; brackets where an operator around it binds tighter."""
    if isinstance(e, s.Num):
        return str(e.value)
    if isinstance(e, s.Str):
        return f'"{e.text}"'
    if isinstance(e, s.Name):
        return {"true": "True", "false": "False"}.get(e.id, e.id.partition(".")[0])
    if isinstance(e, s.Member):
        return f"{render_expr(e.base, 12)}.{e.name}"
    if isinstance(e, s.Index):
        return f"{render_expr(e.base, 12)}[{render_expr(e.index)}]"
    if isinstance(e, s.Invoke):
        return f"{e.fn}({', '.join(map(render_expr, e.args))})"
    if isinstance(e, s.Foreign):
        return render_expr(e.inner, level)
    mine, text = _operator(e)
    return f"({text})" if mine < level else text


def _operator(e: s.Expr) -> tuple[int, str]:
    if isinstance(e, s.Unary):
        if e.op == "!":
            return 3, f"not {render_expr(e.a, 3)}"
        if e.op == "&":
            return 12, f"addr({render_expr(e.a)})"
        return 11, f"{e.op}{render_expr(e.a, 11)}"
    if isinstance(e, s.Binary):
        mine = LEVEL.get(e.op, 0)
        a, b = render_expr(e.a, mine), render_expr(e.b, mine + 1)
        return mine, f"{a} {PYTHON.get(e.op, e.op)} {b}"
    if isinstance(e, s.Ternary):
        parts = (render_expr(x, 1) for x in (e.a, e.cond, e.b))
        return 0, "{} if {} else {}".format(*parts)
    if isinstance(e, s.AssignE):
        return 0, f"{render_expr(e.lhs)} {e.op}= {render_expr(e.rhs)}"
    if isinstance(e, s.PostInc):
        return 12, f"{render_expr(e.lhs, 12)}{'++' if e.by > 0 else '--'}"
    assert isinstance(e, s.Comma)
    return 0, f"{render_expr(e.a)}, {render_expr(e.b)}"


def counted(e: s.Expr) -> s.Expr:
    """``x += 1`` for ``x++`` whose value nobody reads."""
    if not isinstance(e, s.PostInc):
        return e
    return s.AssignE(e.lhs, "+" if e.by > 0 else "-", s.Num(1, e.span), e.span)


def render_body(body: Iterable[s.Stmt], indent: int = 1) -> list[str]:
    """The statements as lines of kernel Python; an empty block is ``pass``."""
    out: list[str] = []
    for st in body:
        out += _lines(st, indent)
    return out or ["    " * indent + "pass"]


def render_stmt(st: s.Stmt) -> str:
    """One statement, with all that is in it, as text."""
    return "\n".join(_lines(st, 0))


def _lines(st: s.Stmt, n: int) -> list[str]:
    pad = "    " * n
    if isinstance(st, s.ExprStmt):
        return [pad + render_expr(counted(st.expr))]
    if isinstance(st, s.Declare):
        return [f"{pad}{st.name.partition('.')[0]} = {render_expr(st.init)}"] if st.init else []
    if isinstance(st, s.If):
        return _if(st, n, "if")
    if isinstance(st, s.While):
        head = f"{pad}while {render_expr(st.cond)}:"
        return [head if st.test_first else head + "  # tested last", *render_body(st.body, n + 1)]
    if isinstance(st, s.For):
        return _for(st, n)
    if isinstance(st, s.Switch):
        out = [f"{pad}switch {render_expr(st.value)}:"]
        for values, body in st.cases:
            what = ", ".join(map(render_expr, values)) or "default"
            out += [f"{pad}    case {what}:", *render_body(body, n + 2)]
        return out
    if isinstance(st, s.AtomicStmt):
        return [f"{pad}with atomic:", *render_body(st.body, n + 1)]
    if isinstance(st, s.ReturnStmt):
        return [f"{pad}return {render_expr(st.value)}" if st.value is not None else f"{pad}return"]
    if isinstance(st, s.BreakStmt | s.ContinueStmt):
        return [pad + ("break" if isinstance(st, s.BreakStmt) else "continue")]
    if isinstance(st, s.Goto):
        return [f"{pad}goto {st.label}"]
    if isinstance(st, s.LabelStmt):
        return [f"{pad}{st.label}:"]
    if isinstance(st, s.OpaqueStmt):
        return [f"{pad}{st.text}"]
    if isinstance(st, s.ForeignStmt):
        return [line for x in st.body for line in _lines(x, n)]
    assert isinstance(st, s.Group)
    return [line for x in st.body for line in _lines(x, n)]


def _if(st: s.If, n: int, word: str) -> list[str]:
    pad = "    " * n
    out = [f"{pad}{word} {render_expr(st.cond)}:", *render_body(st.then, n + 1)]
    if len(st.other) == 1 and isinstance(st.other[0], s.If):
        return out + _if(st.other[0], n, "elif")
    return [*out, f"{pad}else:", *render_body(st.other, n + 1)] if st.other else out


def _for(st: s.For, n: int) -> list[str]:
    pad = "    " * n
    first = st.init[0] if len(st.init) == 1 else None
    test = st.cond
    ends = isinstance(test, s.Binary) and (test.op == "<" or _is_each(test.b))
    if isinstance(first, s.Declare) and first.init is not None and ends and _counts(st.step):
        assert isinstance(test, s.Binary)
        low = first.init
        if isinstance(test.b, s.Invoke) and _is_each(test.b):
            over = f"each({render_expr(test.b.args[0])})"
        elif isinstance(low, s.Num) and low.value == 0:
            over = f"range({render_expr(test.b)})"
        else:
            over = f"range({render_expr(low)}, {render_expr(test.b)})"
        return [f"{pad}for {first.name} in {over}:", *render_body(st.body, n + 1)]
    parts = (
        "; ".join(line.strip() for x in st.init for line in _lines(x, 0)),
        render_expr(test) if test is not None else "",
        "; ".join(line.strip() for x in st.step for line in _lines(x, 0)),
    )
    return [f"{pad}for ({' ; '.join(parts)}):", *render_body(st.body, n + 1)]


def _is_each(e: s.Expr) -> bool:
    return isinstance(e, s.Invoke) and e.fn == "__count"


def _counts(step: tuple[s.Stmt, ...]) -> bool:
    """Whether a loop takes one value after the other."""
    e = counted(step[0].expr) if len(step) == 1 and isinstance(step[0], s.ExprStmt) else None
    if not isinstance(e, s.AssignE):
        return False
    by = e.rhs.b if isinstance(e.rhs, s.Binary) and not e.op else e.rhs
    return isinstance(by, s.Num) and by.value == 1 and e.op in ("", "+")

"""What is left of a condition where another one is known to hold."""

from __future__ import annotations

from .. import syntax as s
from .terms import operands, plain


def assumed(before: s.Expr, after: s.Expr, is_true: bool) -> s.Expr | bool | None:
    """What is left of ``after`` where ``before`` is known to be ``is_true``.

    None where that cannot be told; a bool where nothing is left.
    """
    known: dict[str, bool] = {plain(before): is_true}
    op = "&&" if is_true else "||"
    for part in operands(before, op):
        known[plain(part)] = is_true
    return _simplify(after, known)


def _simplify(e: s.Expr, known: dict[str, bool]) -> s.Expr | bool:
    if plain(e) in known:
        return known[plain(e)]
    if isinstance(e, s.Invoke) and e.fn in ("likely", "unlikely") and e.args:
        return _simplify(e.args[0], known)
    if isinstance(e, s.Unary) and e.op == "!":
        for text, value in known.items():
            if text == plain(s.Unary("!", e.a, e.span)):
                return value
        got = _simplify(e.a, known)
        return (not got) if isinstance(got, bool) else s.Unary("!", got, e.span)
    negated = {plain(s.Unary("!", e, e.span)), f"not {plain(e)}"}
    for text, value in known.items():
        if text in negated:
            return not value
    if isinstance(e, s.Binary) and e.op in ("&&", "||"):
        a, b = _simplify(e.a, known), _simplify(e.b, known)
        short = e.op == "||"
        for x, y in ((a, b), (b, a)):
            if isinstance(x, bool):
                return short if x is short else y
        return s.Binary(e.op, a, b, e.span)  # type: ignore[arg-type]
    return e

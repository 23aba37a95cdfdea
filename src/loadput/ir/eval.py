"""What the operators of the IR mean: the one definition, for every engine and pass."""

from __future__ import annotations

from . import ops as o


def unary(op: str, a: int) -> int:
    """The value of a unary operator."""
    if op == "not":
        return int(not a)
    return -a if op == "neg" else ~a


def binary(op: str, a: int, b: int) -> int:
    """The value of a binary operator; division by zero gives 0, shifts are bounded by 63."""
    if op == "add":
        return a + b
    if op == "sub":
        return a - b
    if op == "mul":
        return a * b
    if op == "div":
        return a // b if b else 0
    if op == "mod":
        return a % b if b else 0
    if op == "and":
        return a & b
    if op == "or":
        return a | b
    if op == "xor":
        return a ^ b
    if op == "shl":
        return a << (b & 63)
    if op == "shr":
        return a >> (b & 63)
    return int(
        {"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[op]
    )


def fold(e: o.Expr) -> o.Expr:
    """``e`` with constant operators evaluated and the plain identities applied."""
    if isinstance(e, o.Un) and isinstance(e.a, o.Const):
        return o.Const(unary(e.op, e.a.value))
    if isinstance(e, o.Bin):
        if isinstance(e.a, o.Const) and isinstance(e.b, o.Const):
            return o.Const(binary(e.op, e.a.value, e.b.value))
        if e.op in ("eq", "ne") and e.a == e.b:
            return o.Const(int(e.op == "eq"))
        if e.op in ("add", "sub") and e.b == o.Const(0):
            return e.a
        if e.op in ("add", "sub") and isinstance(e.b, o.Const) and isinstance(e.a, o.Bin):
            inner = e.a
            if inner.op in ("add", "sub") and isinstance(inner.b, o.Const):
                k = inner.b.value if inner.op == "add" else -inner.b.value
                k += e.b.value if e.op == "add" else -e.b.value
                return inner.a if k == 0 else o.Bin("add", inner.a, o.Const(k))
    return e


def is_here(e: o.Expr) -> bool:
    """Whether it says which CPU this is."""
    if isinstance(e, o.Leaf):
        return e.name == "this_cpu"
    if isinstance(e, o.Bin):
        return is_here(e.a) or is_here(e.b)
    return isinstance(e, o.Un) and is_here(e.a)


def is_simple(e: o.Expr) -> bool:
    """A constant, a copy, or this CPU's number plus a constant: not worth a variable."""
    if isinstance(e, o.Bin):
        return isinstance(e.a, o.Leaf) and isinstance(e.b, o.Const)
    return not isinstance(e, o.Un)


def is_true(e: o.Expr) -> bool:
    """Whether it is a constant that is not 0."""
    return isinstance(e, o.Const) and bool(e.value)

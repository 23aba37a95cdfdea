"""Lines of LLVM IR, and expressions of the kernel IR in them. Every value is an i64."""

from __future__ import annotations

from ...base.errors import LayoutError
from ...ir import ops as o
from ...machine.model import Machine
from .shape import Shape

COMPARE = {"eq": "eq", "ne": "ne", "lt": "slt", "le": "sle", "gt": "sgt", "ge": "sge"}
PLAIN = {"add": "add", "sub": "sub", "mul": "mul", "and": "and", "or": "or", "xor": "xor"}
Range = tuple[int, int]
FAR = 1 << 62
WIDE = 1 << 31


class Code:
    """A function in the making: ``op`` adds an instruction and names its result."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"%t{self.count}"

    def op(self, text: str) -> str:
        """Add ``text`` as an instruction with a result; return the result's name."""
        name = self.name()
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Add an instruction without a result."""
        self.lines.append(f"  {text}")

    def label(self, name: str) -> None:
        """Begin a block."""
        self.lines.append(f"{name}:")

    def fresh(self, stem: str) -> str:
        """A label not used before."""
        self.count += 1
        return f"{stem}.{self.count}"

    # small arithmetic with folding, so that the optimiser has less to do

    def bin(self, op: str, a: str, b: str) -> str:
        """``a op b`` for i64; plain identities are folded."""
        if b == "0" and op in ("add", "sub", "or", "xor", "shl", "lshr"):
            return a
        if a == "0" and op in ("add", "or", "xor"):
            return b
        if b == "1" and op == "mul":
            return a
        if _is_number(a) and _is_number(b):
            x, y = int(a), int(b)
            if op in ("add", "sub", "mul"):
                return str({"add": x + y, "sub": x - y, "mul": x * y}[op])
            if op == "shl" and x >= 0 and x << y < FAR:
                return str(x << y)
        return self.op(f"{op} i64 {a}, {b}")

    def load(self, ptr: str) -> str:
        return self.op(f"load i64, ptr {ptr}")

    def store(self, value: str, ptr: str) -> None:
        self.do(f"store i64 {value}, ptr {ptr}")

    def select(self, cond: str, a: str, b: str) -> str:
        return self.op(f"select i1 {cond}, i64 {a}, i64 {b}")


def _is_number(x: str) -> bool:
    return x.lstrip("-").isdigit()


def signed(x: int) -> str:
    """A 64-bit pattern as LLVM's decimal text."""
    x &= (1 << 64) - 1
    return str(x - (1 << 64) if x >> 63 else x)


class Ranges:
    """What values an expression can have, from the value analysis; the least and the greatest."""

    def __init__(self, m: Machine, shape: Shape) -> None:
        self.m = m
        self.locals: dict[str, Range] = {}
        for (_, name), vals in m.values.locals.items():
            if vals:
                lo, hi = self.locals.get(name, (min(vals), max(vals)))
                self.locals[name] = (min(lo, *vals), max(hi, *vals))
        for name in shape.loose:
            lo, hi = self.locals.get(name, (0, 0))
            self.locals[name] = (min(lo, 0), max(hi, 0))
        self._widen()

    def _widen(self) -> None:
        """Locals that are counted up are believed to stay below what they are compared with;
        nothing is left out on the strength of that.
        """
        changed = True
        while changed:
            changed = False
            for n in self.m.graph.nodes:
                op = n.op
                if not (isinstance(op, o.Assign) and op.dst in self.locals):
                    continue
                (lo, hi), (least, most) = self.locals[op.dst], self._of(op.expr)
                if (least < lo or most > hi) and isinstance(op.expr, o.Bin) and hi < WIDE:
                    self.locals[op.dst] = (-WIDE, WIDE)
                    changed = True

    def of(self, e: o.Expr) -> Range:
        """Bounds of ``e``; raises LayoutError LP0706 where 64 bits may not do."""
        r = self._of(e)
        if r[0] < -FAR or r[1] > FAR:
            raise LayoutError("LP0706", "a value may need more than 63 bits", got=f"{r[0]}..{r[1]}")
        return r

    def _of(self, e: o.Expr) -> Range:
        if isinstance(e, o.Const):
            return e.value, e.value
        if isinstance(e, o.Local):
            return self.locals.get(e.name, (0, 0))
        if isinstance(e, o.Leaf):
            return (0, self.m.cpus - 1) if e.name == "this_cpu" else (0, self.m.tasks)
        if isinstance(e, o.Un):
            lo, hi = self.of(e.a)
            if e.op == "not":
                return 0, 1
            return (-hi, -lo) if e.op == "neg" else (~hi, ~lo)
        assert isinstance(e, o.Bin)
        return self._binary(e.op, self.of(e.a), self.of(e.b))

    def _binary(self, op: str, a: Range, b: Range) -> Range:
        if op in COMPARE:
            return 0, 1
        if op == "add":
            return a[0] + b[0], a[1] + b[1]
        if op == "sub":
            return a[0] - b[1], a[1] - b[0]
        if op == "mul":
            all_ = [x * y for x in a for y in b]
            return min(all_), max(all_)
        if op == "shl":
            n = min(63, max(0, b[1])) if b[0] >= 0 else 63
            return min(a[0], a[0] << n), max(a[1], a[1] << n)
        if op == "shr":
            return min(a[0], 0), max(a[1], 0) if a[1] >= 0 else -1
        if op == "mod":
            top = max(abs(b[0]), abs(b[1]))
            return (0 if b[0] >= 0 else -top), (top if b[1] > 0 else 0)
        if op == "div":
            top = max(abs(a[0]), abs(a[1]))
            return (0 if a[0] >= 0 and b[0] >= 0 else -top), top
        if op == "and" and (a[0] >= 0 or b[0] >= 0):
            return 0, min(x[1] for x in (a, b) if x[0] >= 0)
        n = max(abs(x) for x in (*a, *b)).bit_length()
        return (0 if a[0] >= 0 and b[0] >= 0 else -(1 << n)), (1 << n) - 1


class Exprs:
    """Turns expressions into instructions; locals live in ``ptr`` slots named by ``slot``."""

    def __init__(self, code: Code, ranges: Ranges, slots: dict[str, str]) -> None:
        self.c, self.ranges, self.slots = code, ranges, slots

    def value(self, e: o.Expr) -> str:
        """The operand that holds ``e``."""
        c = self.c
        if isinstance(e, o.Const):
            return str(e.value)
        if isinstance(e, o.Local):
            return c.load(self.slots[e.name]) if e.name in self.slots else "0"
        if isinstance(e, o.Leaf):
            return "%cpu" if e.name == "this_cpu" else "%cur"
        if isinstance(e, o.Un):
            if e.op == "not":
                return c.op(f"zext i1 {self.cond(e)} to i64")
            a = self.value(e.a)
            return c.op(f"sub i64 0, {a}") if e.op == "neg" else c.op(f"xor i64 {a}, -1")
        assert isinstance(e, o.Bin)
        if e.op in COMPARE:
            return c.op(f"zext i1 {self.cond(e)} to i64")
        self.ranges.of(e)
        a, b = self.value(e.a), self.value(e.b)
        if e.op in PLAIN:
            return c.bin(PLAIN[e.op], a, b)
        if e.op in ("shl", "shr"):
            by = c.op(f"and i64 {b}, 63")
            return c.op(f"{'shl' if e.op == 'shl' else 'ashr'} i64 {a}, {by}")
        return self._divide(e, a, b)

    def _divide(self, e: o.Bin, a: str, b: str) -> str:
        """Division rounds down, as in Python; by zero it gives 0."""
        c = self.c
        none = c.op(f"icmp eq i64 {b}, 0")
        safe = c.select(none, "1", b)
        q, r = c.op(f"sdiv i64 {a}, {safe}"), c.op(f"srem i64 {a}, {safe}")
        sign = c.op(f"icmp slt i64 {c.op(f'xor i64 {r}, {safe}')}, 0")
        rest = c.op(f"icmp ne i64 {r}, 0")
        off = c.op(f"and i1 {sign}, {rest}")
        if e.op == "div":
            out = c.select(off, c.op(f"sub i64 {q}, 1"), q)
        else:
            out = c.select(off, c.op(f"add i64 {r}, {safe}"), r)
        return c.select(none, "0", out)

    def cond(self, e: o.Expr) -> str:
        """The i1 that says whether ``e`` is not 0."""
        c = self.c
        if isinstance(e, o.Const):
            return "true" if e.value else "false"
        if isinstance(e, o.Un) and e.op == "not":
            return c.op(f"xor i1 {self.cond(e.a)}, true")
        if isinstance(e, o.Bin) and e.op in COMPARE:
            return c.op(f"icmp {COMPARE[e.op]} i64 {self.value(e.a)}, {self.value(e.b)}")
        if isinstance(e, o.Bin) and e.op in ("and", "or") and _is_bool(e.a) and _is_bool(e.b):
            return c.op(f"{e.op} i1 {self.cond(e.a)}, {self.cond(e.b)}")
        return c.op(f"icmp ne i64 {self.value(e)}, 0")


def _is_bool(e: o.Expr) -> bool:
    return (isinstance(e, o.Un) and e.op == "not") or (isinstance(e, o.Bin) and e.op in COMPARE)

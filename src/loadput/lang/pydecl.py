"""Declarations of kernel Python: structs, enums, variables, constants, types, decorators.

Whatever Python allows and kernel Python has no meaning for is an error, never left out in silence.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..base.errors import SourceError
from ..base.source import Span
from ..ir import types as ty
from ..ir.decls import Setting, StructDecl, VarDecl
from . import syntax as s
from .told import Told, comment_above

MOST = 65_535
"""Greatest number of a type, a constant, a literal: every state has a fixed, small size."""
LENGTH = 64
"""Most elements of an array."""
DEPTH = 100
"""Operators, or statements, inside each other. Python's own limit is not far above."""
RESERVED = frozenset(("current", "NULL", "None", "True", "False", "ret", "nr_cpu_ids"))
NAMED: dict[str, ty.Type] = {
    "bool": ty.BOOL,
    "int": ty.Int(-1, 127),
    "cpu": ty.CPU,
    "void": ty.VOID,
    "cpu_mask": ty.Int(0, 15),
    "vcpu_index": ty.Int(0, 7),
}
# Arguments of each generic type, and of each decorator: how many, and which keywords.
GENERIC = {"ptr": 1, "embed": 1, "upto": 1, "between": 2, "token": 2, "array": 2}
# What may stand around the type of a variable.
AROUND = ("per_cpu", "ghost", "copy", "lazy")
DECORATORS: dict[str, tuple[int, tuple[str, ...]]] = {
    **dict.fromkeys(("task", "idle", "irq", "env", "preempt", "always", "stuck"), (0, ())),
    **dict.fromkeys(("frame", "at_entry", "at_exit"), (1, ())),
    "property_": (0, ("source", "twin", "needs", "where", "does", "replaces")),
    "monitor": (0, ("where", "does")),
    "forget_": (0, ("bodies", "origin")),
}
# Where an error of these says no more: what to read.
NEXT = {
    "LP0210": "correct it as Python",
    "LP0211": "docs/language.md, Declarations, has all that there is",
    "LP0212": "docs/language.md, Declarations, has them all",
    "LP0214": "choose another number, or another type",
    "LP0215": "docs/language.md, Properties and Who runs a function, has them all",
    "LP0216": "correct it: a body is read as its C",
}
HOOKS = ("property", "monitor", "forget")
POINTS = ("at_entry", "at_exit")
STATES = ("always", "stuck")
MARK = re.compile(r"#\s*\[(\w+) in ([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Mark:
    """What the comment above a function says of it: ``New`` or ``Modified`` in which overlay."""

    word: str
    label: str
    span: Span


@dataclass(slots=True)
class Module:
    """What one file of kernel Python declares, in order.

    :param settings: what a scenario may give the constants of that name
    :param meta: per function, the keyword arguments of its decorators (``source``, ``twin``, …)
    :param marks: per function, the comments above it that say what it is laid over
    :param told: per struct, ``struct.field``, global, constant and ``function()`` how it is written
    """

    file: str
    origin: str
    structs: dict[str, StructDecl] = field(default_factory=dict)
    globals: dict[str, VarDecl] = field(default_factory=dict)
    consts: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Setting] = field(default_factory=dict)
    aliases: dict[str, ty.Type] = field(default_factory=dict)
    enums: dict[str, dict[int, str]] = field(default_factory=dict)
    defs: list[s.Def] = field(default_factory=list)
    meta: dict[str, dict[str, str]] = field(default_factory=dict)
    marks: dict[str, list[Mark]] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    doc: str = ""


def nearest(name: str, known: Iterable[str]) -> str:
    """``; nearest: x`` for the name most like ``name``, or nothing."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; nearest: {near[0]}" if near else ""


class Declarations:
    """The half of the parser that knows what stands at the top of a file."""

    def __init__(self, text: str, file: str, origin: str, aliases: dict[str, ty.Type]) -> None:
        self.text, self.file, self.origin = text, file, origin
        self.aliases = aliases
        self.out = Module(file, origin)
        self.lines = text.split("\n")

    def span(self, n: ast.AST) -> Span:
        line, col = getattr(n, "lineno", 1), getattr(n, "col_offset", 0)
        same = getattr(n, "end_lineno", line) == line
        end = getattr(n, "end_col_offset", col + 1) if same else col + 1
        row = self.lines[line - 1].encode("utf-8", "replace") if line <= len(self.lines) else b""
        first, last = (len(row[:at].decode("utf-8", "replace")) for at in (col, end))
        return Span(self.file, line, first + 1, max(1, last - first))

    def fail(self, code: str, what: str, n: ast.AST | Span, **more: str) -> SourceError:
        span = n if isinstance(n, Span) else self.span(n)
        line = self.lines[span.line - 1] if 0 < span.line <= len(self.lines) else None
        more.setdefault("next", NEXT.get(code, NEXT["LP0211"]))
        return SourceError(code, what, span=span, line_text=line, where=self.origin, **more)

    def tell(self, name: str, written: str, n: ast.stmt, *, own: bool = False) -> None:
        about = comment_above(self.lines, n.lineno, own=own)
        self.out.told[name] = Told(written, about, self.span(n), self.origin)

    def tree(self) -> ast.Module:
        """The file as Python; raises SourceError LP0210 or LP0225 with the place."""
        try:
            return ast.parse(self.text)
        except SyntaxError as e:
            if "too many" in e.msg:  # nested parentheses, levels of indentation
                raise self.too_deep() from None
            span = Span(self.file, e.lineno or 1, max(1, e.offset or 1))
            raise self.fail(
                "LP0210",
                f"not valid Python: {e.msg}",
                span,
                expected="Python that can be parsed",
            ) from None
        except (RecursionError, MemoryError):
            raise self.too_deep() from None
        except ValueError as e:
            raise self.fail("LP0210", f"not valid Python: {e}", Span(self.file, 1)) from None

    def too_deep(self, n: ast.AST | None = None) -> SourceError:
        """LP0225; where Python gave up before there was a tree, at the line with the most."""
        span = self.span(n) if n else Span(self.file, _deepest(self.lines), 1, 40)
        return self.fail(
            "LP0225",
            "nested too deep",
            span,
            got=f"more than {DEPTH} operators, brackets or statements inside each other",
            expected=f"at most {DEPTH}",
            next="put parts of it into functions or locals of their own",
        )

    # the top of the file

    def declare(self, n: ast.stmt) -> None:
        """A statement at the top that is no function."""
        if isinstance(n, ast.ClassDef):
            self._class(n)
        elif isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name):
            self._variable(n, n.target.id)
        elif isinstance(n, ast.Assign) and len(n.targets) == 1:
            self._constant(n, n.targets[0])
        elif not isinstance(n, ast.ImportFrom | ast.Import | ast.Pass) and not _is_text(n):
            raise self.fail(
                "LP0211",
                f"'{ast.unparse(n).splitlines()[0][:40]}' outside a function",
                n,
                expected="a function, class NAME(struct), class NAME(enum), NAME: type, NAME = 1",
                next="put it into a function",
            )

    def _constant(self, n: ast.Assign, to: ast.expr) -> None:
        if not isinstance(to, ast.Name):
            raise self.fail(
                "LP0211",
                f"'{ast.unparse(to)}' cannot be declared",
                to,
                expected="NAME = number",
            )
        if to.id == "OVERLAY":
            raise self.fail(
                "LP0211", "OVERLAY in a file of functions", n, expected="it in overlay.py only"
            )
        self._fresh_name(to.id, to)
        self.out.consts[to.id] = value = self.number(n.value)
        if isinstance(n.value, ast.Constant) and isinstance(n.value.value, bool):
            self.out.settings[to.id] = Setting(ty.BOOL, "bool", value)
        self.tell(to.id, ast.unparse(n.value), n)

    def _variable(self, n: ast.AnnAssign, name: str) -> None:
        self._fresh_name(name, n)
        t = n.annotation
        if isinstance(t, ast.Subscript) and isinstance(t.value, ast.Name):
            if t.value.id == "setting":
                self._setting(n, name, t.slice)
                return
        self.out.globals[name] = self.variable(n, name)
        self.tell(name, written(n), n)

    def _setting(self, n: ast.AnnAssign, name: str, of: ast.expr) -> None:
        t = self.type(of)
        if not isinstance(t, ty.Int) or n.value is None:
            raise self.fail(
                "LP0212",
                f"setting {name} of type {t}",
                n,
                expected="a bounded number and what it is where the scenario is silent",
                next=f"{name}: setting[upto[2]] = 0",
            )
        value = self.number(n.value)
        if not t.lo <= value <= t.hi:
            raise self.fail(
                "LP0214", f"{name} = {value}", n.value, expected=f"{t.lo} to {t.hi}, as it declares"
            )
        self.out.consts[name] = value
        self.out.settings[name] = Setting(t, ast.unparse(of), value)
        self.tell(name, ast.unparse(n.value), n)

    def _fresh_name(self, name: str, n: ast.AST) -> None:
        if name in RESERVED:
            raise self.fail(
                "LP0211", f"'{name}' has a meaning of its own", n, expected="another name"
            )

    def number(self, n: ast.expr) -> int:
        """A whole number, or True or False."""
        value: object = None
        if isinstance(n, ast.Constant | ast.UnaryOp):
            try:
                value = ast.literal_eval(n)
            except (ValueError, TypeError):
                value = None
        if not isinstance(value, int):
            raise self.fail(
                "LP0211",
                f"'{ast.unparse(n)[:40]}' is no number",
                n,
                expected="a whole number, True or False",
            )
        if not -MOST <= value <= MOST:
            raise self.too_large(value, n)
        return int(value)

    def too_large(self, value: int, n: ast.expr) -> SourceError:
        shown = f"{value:#x}" if value.bit_length() < 200 else f"{value.bit_length()} bits"
        return self.fail(
            "LP0214",
            f"the number {shown}",
            n,
            expected=f"{-MOST} to {MOST}: a state holds small numbers",
            next="number the cases that differ, from 0",
        )

    # classes

    def _class(self, n: ast.ClassDef) -> None:
        base = n.bases[0].id if n.bases and isinstance(n.bases[0], ast.Name) else ""
        if base not in ("enum", "struct") or len(n.bases) != 1 or n.decorator_list:
            raise self.fail(
                "LP0211", f"class {n.name}", n, expected=f"class {n.name}(struct) or (enum)"
            )
        self._fresh_name(n.name, n)
        body = [i for i in n.body if not isinstance(i, ast.Pass) and not _is_text(i)]
        if base == "enum":
            self._enum(n, body)
        else:
            self._struct(n, body)

    def _enum(self, n: ast.ClassDef, body: list[ast.stmt]) -> None:
        values: dict[int, str] = {}
        for i in body:
            name = i.targets[0] if isinstance(i, ast.Assign) and len(i.targets) == 1 else None
            if not isinstance(i, ast.Assign) or not isinstance(name, ast.Name):
                raise self.fail(
                    "LP0211", f"'{ast.unparse(i)[:40]}' in enum {n.name}", i, expected="NAME = 1"
                )
            value = self.number(i.value)
            if value in values:
                raise self.fail(
                    "LP0211",
                    f"{name.id} = {value}, as {values[value]}",
                    i,
                    expected="a number of its own for each name of an enum",
                )
            self.out.consts[name.id] = value
            values[value] = name.id
        if not values or n.keywords:
            raise self.fail("LP0211", f"class {n.name}(enum)", n, expected="at least one NAME = 1")
        self.aliases[n.name] = self.out.aliases[n.name] = ty.Int(min(values), max(values))
        self.out.enums[n.name] = values
        self.tell(n.name, "enum", n, own=True)

    def _struct(self, n: ast.ClassDef, body: list[ast.stmt]) -> None:
        per = ""
        for k in n.keywords:
            value = k.value.value if isinstance(k.value, ast.Constant) else None
            if k.arg != "per" or not isinstance(value, str) or value not in ty.DOMAINS:
                raise self.fail(
                    "LP0211",
                    f"struct {n.name}: {ast.unparse(k)}",
                    k,
                    expected=f"per= one of {', '.join(repr(d) for d in ty.DOMAINS)}",
                )
            per = value
        decl = StructDecl(n.name, per, span=self.span(n))
        for item in body:
            if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
                raise self.fail(
                    "LP0211",
                    f"'{ast.unparse(item).splitlines()[0][:40]}' in struct {n.name}",
                    item,
                    expected="NAME: type, or NAME: type = start",
                )
            if item.target.id in decl.fields:
                raise self.fail(
                    "LP0406",
                    f"struct {n.name} declares '{item.target.id}' twice",
                    item,
                    expected=f"one of them; the other is at {decl.fields[item.target.id].span}",
                    next="take one out",
                )
            decl.fields[item.target.id] = self.variable(item, item.target.id)
            self.tell(f"{n.name}.{item.target.id}", written(item), item)
        self.tell(n.name, "struct", n, own=True)
        known = self.out.structs.setdefault(n.name, decl)
        known.fields.update(decl.fields)
        known.per = known.per or decl.per

    def variable(self, n: ast.AnnAssign, name: str) -> VarDecl:
        """A field or a global with its start value."""
        words, lazy = set(), ""
        t: ast.expr = n.annotation
        while isinstance(t, ast.Subscript) and isinstance(t.value, ast.Name):
            if t.value.id not in AROUND:
                break
            words.add(t.value.id)
            whole, t = t, t.slice
            if isinstance(whole.value, ast.Name) and whole.value.id == "lazy":
                if not (isinstance(t, ast.Tuple) and len(t.elts) == 2):
                    raise self.fail(
                        "LP0212",
                        f"'{ast.unparse(whole)[:40]}' is no type",
                        whole,
                        expected="lazy[token[kind, domain], flag]",
                        next="docs/language.md, Declarations, has them all",
                    )
                lazy, t = ast.unparse(t.elts[1]), t.elts[0]
        init: int | str = 0
        if isinstance(n.value, ast.Name) and n.value.id != "NULL":
            init = n.value.id
        elif n.value is not None and not isinstance(n.value, ast.Name):
            init = self.number(n.value)
        of = self.type(t)
        if isinstance(of, ty.Void):
            raise self.fail("LP0212", f"{name} of type void", n, expected="a type with values")
        scalar = of.elem if isinstance(of, ty.Array) else of
        if isinstance(init, int) and isinstance(scalar, ty.Int):
            if n.value is not None and not scalar.lo <= init <= scalar.hi:
                raise self.fail(
                    "LP0214", f"{name} starts as {init}", n.value, expected=f"a value of {scalar}"
                )
            init = max(scalar.lo, min(init, scalar.hi))
        enum = t.id if isinstance(t, ast.Name) and t.id in self.aliases else ""
        percpu, ghost, copy = (w in words for w in ("per_cpu", "ghost", "copy"))
        at = self.span(n)
        return VarDecl(name, of, percpu, ghost, init, at, self.origin, enum, copy, lazy)

    # types

    def type(self, n: ast.expr | None) -> ty.Type:
        """The type that an annotation names; a bare struct name is a struct by value."""
        if n is None or (isinstance(n, ast.Constant) and n.value is None):
            return ty.VOID
        if isinstance(n, ast.Name):
            return (NAMED | self.aliases).get(n.id) or ty.Embed(n.id)
        if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name):
            args = n.slice.elts if isinstance(n.slice, ast.Tuple) else [n.slice]
            return self._generic(n, n.value.id, args)
        raise self.fail(
            "LP0212",
            f"'{ast.unparse(n)[:40]}' is no type",
            n,
            expected="bool, upto[n], ptr[struct], …",
            next="docs/language.md, Declarations, has them all",
        )

    def _generic(self, n: ast.Subscript, head: str, args: list[ast.expr]) -> ty.Type:
        if len(args) != GENERIC.get(head, 0):
            raise self.fail(
                "LP0212",
                f"'{ast.unparse(n)[:40]}' is no type",
                n,
                expected="ptr[S], embed[S], upto[n], between[a, b], token[kind, domain] or"
                " array[T, n]" + ("" if head in GENERIC else nearest(head, [*GENERIC, "per_cpu"])),
                next="docs/language.md, Declarations, has them all",
            )
        if head in ("ptr", "embed"):
            return (ty.Ptr if head == "ptr" else ty.Embed)(self._name(args[0]))
        if head in ("upto", "between"):
            lo, hi = ([0] if head == "upto" else []) + [self.number(a) for a in args]
            if lo > hi:
                raise self.fail(
                    "LP0212", f"'{ast.unparse(n)}' has no value", n, expected="bounds in order"
                )
            return ty.Int(lo, hi)
        if head == "token":
            kind, domain = self._name(args[0]), self._name(args[1])
            self._one_of(domain, ty.DOMAINS[1:], n)
            return ty.Token(kind, domain)
        of = self.type(args[0])
        if isinstance(of, ty.Array | ty.Embed | ty.Void):
            raise self.fail("LP0212", f"array of {of}", n, expected="an array of scalars")
        if isinstance(args[1], ast.Name):
            return ty.Array(of, self._one_of(args[1].id, ty.DOMAINS[1:], n))
        length = self.number(args[1])
        if not 0 < length <= LENGTH:
            raise self.fail("LP0212", f"array of {length}", n, expected=f"1 to {LENGTH} elements")
        return ty.Array(of, length)

    def _name(self, a: ast.expr) -> str:
        if not isinstance(a, ast.Name):
            raise self.fail(
                "LP0212", f"'{ast.unparse(a)[:40]}' is no name", a, expected="the name of a struct"
            )
        return a.id

    def _one_of(self, name: str, known: tuple[str, ...], n: ast.AST) -> str:
        if name not in known:
            raise self.fail(
                "LP0212",
                f"'{name}' has no instances",
                n,
                expected=f"one of {', '.join(known)}" + nearest(name, known),
            )
        return name

    # what stands above a function

    def decorators(self, n: ast.FunctionDef) -> tuple[tuple[str, ...], dict[str, str]]:
        """The roles of a function and what is said of them; raises LP0215."""
        attrs: list[str] = []
        meta: dict[str, str] = {}
        for d in n.decorator_list:
            call = d if isinstance(d, ast.Call) else None
            head = call.func if call else d
            word = head.id if isinstance(head, ast.Name) else ast.unparse(head)
            if word not in DECORATORS:
                raise self.fail(
                    "LP0215",
                    f"unknown decorator @{word}",
                    d,
                    expected=", ".join(f"@{w}" for w in DECORATORS) + nearest(word, DECORATORS),
                    next="docs/language.md says what each means",
                )
            wants, keys = DECORATORS[word]
            args = [self._word(a) for a in call.args] if call else []
            if len(args) != wants:
                raise self.fail(
                    "LP0215",
                    f"@{word} with {len(args)} arguments",
                    d,
                    expected=f"{wants}" + (": a function" if wants and word != "frame" else ""),
                )
            for k in call.keywords if call else []:
                if k.arg not in keys or k.arg in meta:
                    raise self.fail(
                        "LP0215",
                        f"@{word}({ast.unparse(k)[:40]})",
                        k,
                        expected=f"one each of {', '.join(keys) or 'no keywords'}"
                        + nearest(str(k.arg), keys),
                    )
                meta[k.arg] = self._word(k.value)
            attrs.append(":".join([word.rstrip("_"), *args]))
        self._roles(n, attrs)
        return tuple(sorted(attrs)), meta

    def _roles(self, n: ast.FunctionDef, attrs: list[str]) -> None:
        """Roles that fit together, each with what it needs; raises LP0215."""
        words = [a.partition(":")[0] for a in attrs]
        hook = next((w for w in words if w in HOOKS), "")
        asked = [w for w in words if w in POINTS]
        states = [w for w in words if w in STATES]
        runs = sorted(set(words) & {"task", "idle", "irq", "preempt"})
        what = expected = ""
        if len(set(attrs)) < len(attrs):
            what, expected = "a decorator twice", "each one once"
        elif hook and (others := set(words) - {hook, *asked, *states}):
            what, expected = f"@{hook} and @{min(others)}", "a hook that is nothing else"
        elif (asked or states) and not hook:
            what = f"@{(asked + states)[0]} without what is asked there"
            expected = "@property_(…) or @monitor beside it"
        elif hook == "property" and not asked and not states:
            what = "a property without a place to ask"
            expected = "@at_entry(f), @at_exit(f), @always or @stuck"
        elif hook and hook != "property" and (states or not asked):
            what, expected = f"a {hook} without a place", "@at_entry(f) or @at_exit(f)"
        elif states and (asked or len(states) > 1):
            what, expected = f"@{states[0]} and another place", "one or the other"
        elif states and n.args.args:
            what, expected = f"@{states[0]} with parameters", "none: it is asked of a state"
        elif runs and n.args.args:
            what, expected = f"@{runs[0]} with parameters", "none: nothing calls it"
        elif "env" in words and "irq" not in words:
            what, expected = "@env without @irq", "@irq beside it"
        elif hook == "property" and (n.returns is None or ast.unparse(n.returns) != "bool"):
            what, expected = "a property that returns no bool", f"def {n.name}(…) -> bool"
        elif hook in ("monitor", "forget") and self.type(n.returns) != ty.VOID:
            what, expected = f"a {hook} that returns a value", f"def {n.name}(…): without ->"
        elif any(a.startswith("frame:") and a != "frame:sched" for a in attrs):
            what, expected = "a frame that there is not", '@frame("sched")'
        if what:
            raise self.fail(
                "LP0215", f"{n.name}: {what}", n, expected=expected,
                next="docs/language.md, Properties, has examples",
            )  # fmt: skip

    def _word(self, a: ast.expr) -> str:
        if isinstance(a, ast.Constant) and isinstance(a.value, str):
            return a.value
        if isinstance(a, ast.Name):
            return a.id
        raise self.fail(
            "LP0215", f"'{ast.unparse(a)[:40]}' in a decorator", a, expected="a name or a string"
        )

    def marks(self, n: ast.FunctionDef) -> list[Mark]:
        """The comments ``# [Modified in …]`` right above a function."""
        at = min([n.lineno, *(d.lineno for d in n.decorator_list)]) - 2
        out = []
        while at >= 0 and self.lines[at].startswith("#"):
            row = self.lines[at]
            m = MARK.match(row)
            if m:
                out.append(Mark(m[1], m[2].strip(), Span(self.file, at + 1, 1, len(row))))
            at -= 1
        return out

    def parameters(self, n: ast.FunctionDef) -> tuple[tuple[str, ty.Type], ...]:
        """Names and types; raises LP0216 for what C does not have."""
        a = n.args
        odd = [*a.posonlyargs, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg)), *a.defaults]
        if odd:
            raise self.fail(
                "LP0216", f"{n.name}: '{ast.unparse(a)[:40]}'", odd[0],
                expected="NAME: type for each parameter, as in C",
            )  # fmt: skip
        out = []
        for p in a.args:
            t = self.type(p.annotation)
            if isinstance(t, ty.Void | ty.Array | ty.Embed):
                raise self.fail(
                    "LP0216",
                    f"parameter '{p.arg}' of {n.name}"
                    + (f" is of type {t}" if p.annotation else " has no type"),
                    p,
                    expected="a scalar: bool, upto[n], cpu, ptr[struct], …",
                )
            if p.arg in RESERVED - {"ret"}:
                raise self.fail("LP0216", f"parameter '{p.arg}'", p, expected="another name")
            out.append((p.arg, t))
        return tuple(out)


def written(n: ast.AnnAssign) -> str:
    """The type and the start value of a declaration."""
    init = f" = {ast.unparse(n.value)}" if n.value else ""
    return ast.unparse(n.annotation) + init


def _is_text(n: ast.stmt) -> bool:
    return (
        isinstance(n, ast.Expr)
        and isinstance(n.value, ast.Constant)
        and isinstance(n.value.value, str)
    )


def _deepest(lines: list[str]) -> int:
    """The first line up to which more is nested than may be; else that with the most."""
    words = [len(re.findall(r"[(\[{]|\bnot\b|[-~+](?=[-~+ ])|\belif\b", row)) for row in lines]
    indents = [(len(row) - len(row.lstrip())) // 4 for row in lines]
    both = [a + b for a, b in zip(words, indents, strict=True)]
    return both.index(max(both)) + 1 if both else 1

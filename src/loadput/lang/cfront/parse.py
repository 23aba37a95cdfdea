"""One C function to `syntax.Def`: tree-sitter's tree, statement by statement."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ...base.errors import SourceError
from ...base.source import Span
from ...ir import types as ty
from .. import syntax as s
from ..guess import INT
from . import loops
from .clean import (
    blank_annotations,
    hide_asm,
    hide_loops,
    hide_ranges,
    hide_struct_arguments,
    hide_typeof,
)
from .expr import Expressions
from .found import CFunction
from .guards import guard_calls, guarded

if TYPE_CHECKING:
    from tree_sitter import Node, Parser


MAX_LINES = 4000  # the largest function of the kernel's KVM has about 900
MAX_DEPTH = 100
COMPOUND = frozenset(
    (
        *("compound_statement", "if_statement", "while_statement", "for_statement"),
        *("do_statement", "switch_statement", "case_statement", "labeled_statement"),
    )
)


@functools.cache
def _parser() -> Parser:
    import tree_sitter_c
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_c.language()))


def parse_one(
    f: CFunction,
    origin: str,
    structs: Collection[str] | None,
    config: Mapping[str, bool],
    lenient: bool = False,
) -> s.Def:
    """Return ``f`` parsed; raises SourceError with the place in the user's file.

    :param lenient: a statement that has no meaning here becomes an `OpaqueStmt`
    """
    if f.problem is not None and not lenient:
        raise f.problem
    reader = _Function(f, origin, structs, config, lenient)
    deep = _depth(reader.text) > MAX_DEPTH
    if deep or len(f.lines) > MAX_LINES:
        what = f"brackets nested more than {MAX_DEPTH} deep" if deep else f"{len(f.lines)} lines"
        raise SourceError(
            "LP0225",
            f"function {f.name} is too large: {what}",
            span=Span(f.lines[0].file, f.lines[0].number),
            line_text=f.lines[0].text,
            expected=f"at most {MAX_LINES} lines, {MAX_DEPTH} brackets deep",
        )
    try:
        return reader.run()
    except RecursionError:
        raise SourceError(
            "LP0225",
            f"function {f.name} holds an expression that is too long",
            span=Span(f.lines[0].file, f.lines[0].number),
            line_text=f.lines[0].text,
            expected="a chain of at most a few hundred operators",
        ) from None


def _depth(text: str) -> int:
    depth = most = 0
    for m in re.finditer(r"[(\[{)\]}]", text):
        depth += 1 if m.group() in "([{" else -1
        most = max(most, depth)
    return most


class _Function(Expressions):
    def __init__(
        self,
        f: CFunction,
        origin: str,
        structs: Collection[str] | None,
        config: Mapping[str, bool],
        lenient: bool = False,
    ) -> None:
        self.f, self.origin, self.structs, self.config = f, origin, structs, config
        self.lenient = lenient
        self.assumed = list(f.assumed)
        if f.problem is not None:
            self.assumed.append(f.problem.what)
        self.scopes: list[dict[str, str]] = [{}]
        self.types: dict[str, ty.Type] = {}
        self.hidden = 0
        text, self.loops = hide_loops(blank_annotations(f.text))
        head = text.find("{")
        body = hide_typeof(hide_struct_arguments(text[head:]))
        self.text = text[:head] + hide_asm(hide_ranges(body))

    def span(self, n: Node) -> Span:
        row, col = n.start_point
        line = self.f.lines[min(row, len(self.f.lines) - 1)]
        same = n.end_point[0] == row
        end = n.end_point[1] if same else len(self.text.split("\n")[row])
        return Span(line.file, line.number, col + 1 + line.shift, max(1, end - col))

    def fail(self, code: str, what: str, n: Node, **more: str) -> SourceError:
        row = min(n.start_point[0], len(self.f.lines) - 1)
        return SourceError(
            code,
            what,
            span=self.span(n),
            line_text=self.f.lines[row].text,
            where=f"{self.f.name} ({self.origin})",
            **more,
        )

    # the function

    def run(self) -> s.Def:
        root = _parser().parse(self.text.encode("ascii", "replace")).root_node
        node = next((c for c in root.children if c.type == "function_definition"), None)
        bad = _find_error(root)
        if node is None or (bad is not None and not self.lenient):
            raise self._syntax(bad or root)
        declarator = node.child_by_field_name("declarator")
        stars = 0
        while declarator is not None and declarator.type == "pointer_declarator":
            stars += 1
            declarator = declarator.child_by_field_name("declarator")
        body = node.child_by_field_name("body")
        if declarator is None or declarator.type != "function_declarator" or body is None:
            raise self._syntax(node)
        params = self._params(declarator)
        name = declarator.child_by_field_name("declarator")
        assert name is not None
        statements = self.block(body)
        return s.Def(
            self.f.name,
            params,
            self.ctype(node, stars),
            statements,
            self.span(name),
            (),
            "",
            self.origin,
            self.f.lines[-1].number,
            "c",
            tuple((ln.file, ln.number, ln.text) for ln in self.f.lines),
            tuple(self.assumed),
        )

    def _syntax(self, n: Node) -> SourceError:
        text = self.raw(n).strip().split("\n")[0][:40]
        before = re.split(r"[;{}]", self.text[: n.start_byte])[-1] + text
        word = re.search(r"\b(asm|__asm__|scoped_guard|scoped_cond_guard)\b", before)
        if word:
            return self.fail(
                "LP0203",
                f"cannot lower '{word[1]}'",
                n,
                expected="C without inline assembly or scope-based cleanup",
                next="leave the function to the specification, or write the effect out",
            )
        got = f"'{n.type}' is missing" if n.is_missing else f"'{text}'"
        return self.fail(
            "LP0220",
            f"not C that can be parsed, in function {self.f.name}",
            n,
            got=got,
            expected="one whole C function; macros that open a block must be loops (…for_each…)",
            next="loadput explain LP0220",
        )

    def _params(self, declarator: Node) -> tuple[tuple[str, ty.Type], ...]:
        out: list[tuple[str, ty.Type]] = []
        params = declarator.child_by_field_name("parameters")
        for p in params.named_children if params else []:
            if p.type == "variadic_parameter":
                raise self.fail("LP0203", "variable arguments", p, expected="named parameters")
            if p.type != "parameter_declaration":
                continue
            d = p.child_by_field_name("declarator")
            if d is None:
                if self.raw(p) == "void":
                    continue
                raise self.fail("LP0203", "parameter without a name", p, expected="a name")
            name, t = self.declarator(p, d)
            self.declare(name, t, p)
            out.append((name, t))
        return tuple(out)

    # types and declarations

    def ctype(self, decl: Node, stars: int) -> ty.Type:
        """The IR type of a declaration's type with ``stars`` pointers on it."""
        t = decl.child_by_field_name("type")
        assert t is not None
        text = self.raw(t)
        if t.type in ("struct_specifier", "union_specifier"):
            name = t.child_by_field_name("name")
            struct = self.raw(name) if name else ""
            known = self.structs is None or struct in self.structs
            return ty.Ptr(struct) if stars == 1 and known and struct else ty.BOOL
        if stars:
            return ty.BOOL
        if text in ("bool", "_Bool"):
            return ty.BOOL
        return ty.VOID if text == "void" else INT

    def declarator(self, decl: Node, d: Node) -> tuple[str, ty.Type]:
        """``(name, type)`` of one declarator of ``decl``."""
        stars = 0
        at: Node | None = d
        while at is not None and at.type != "identifier":
            if at.type in ("pointer_declarator", "parenthesized_declarator"):
                stars += at.type == "pointer_declarator"
            elif at.type in ("array_declarator", "function_declarator"):
                stars += 2
            at = at.child_by_field_name("declarator") or next(
                (c for c in at.named_children if c.type.endswith(("declarator", "identifier"))),
                None,
            )
        if at is None:
            raise self.fail("LP0203", "declaration without a name", d, expected="type name")
        return self.raw(at), self.ctype(decl, stars)

    def declare(self, name: str, t: ty.Type, n: Node) -> str:
        """Enter ``name`` in the innermost scope; a shadowing one gets another name."""
        unique, count = name, 1
        taken = any(name in scope for scope in self.scopes)
        while taken or self.types.get(unique, t) != t:
            count += 1
            unique = f"{name}__{count}"
            taken = unique in self.types
        self.scopes[-1][name] = unique
        self.types[unique] = t
        return unique

    def declaration(self, n: Node) -> list[s.Stmt]:
        out: list[s.Stmt] = []
        words = {self.raw(c) for c in n.children if c.type.endswith(("_specifier", "_qualifier"))}
        kind = n.child_by_field_name("type")
        infers = kind is not None and self.raw(kind) in ("typeof_t", "__auto_type")
        if "static" in words and self.lenient:
            return []
        if "static" in words and "const" not in words:
            raise self.fail("LP0203", "static variable inside a function", n, expected="a local")
        for d in n.children_by_field_name("declarator"):
            init: s.Expr | None = None
            at = d
            if d.type == "init_declarator":
                inner, value = d.child_by_field_name("declarator"), d.child_by_field_name("value")
                assert inner is not None and value is not None
                at = inner
                if value.type != "initializer_list":  # a struct or array by value: opaque
                    init = self.expr(value)
            name, t = self.declarator(n, at)
            name = self.declare(name, t, d)
            told = None if init is not None and infers else t
            said = "" if kind is None or at.type != "identifier" else self.raw(kind)
            out.append(s.Declare(name, told, init, self.span(d), " ".join(said.split())))
        return out

    # statements

    def block(self, n: Node) -> tuple[s.Stmt, ...]:
        self.scopes.append({})
        out = self.rows(list(n.named_children))
        self.scopes.pop()
        return tuple(out)

    def rows(self, nodes: list[Node]) -> list[s.Stmt]:
        """Statements in a row; what follows a guard is under it."""
        out: list[s.Stmt] = []
        for i, c in enumerate(nodes):
            guard = self._guard(c)
            if guard is None:
                out += self.statements(c)
                continue
            kind, args = guard
            lock, unlock = guard_calls(kind, args, self.span(c))
            return [*out, *guarded(lock, unlock, self.rows(nodes[i + 1 :]), self.fresh)]
        return out

    def _guard(self, n: Node) -> tuple[str, tuple[s.Expr, ...]] | None:
        """``(class, arguments)`` of ``guard(class)(arguments);``, or None."""
        call = (
            n.named_children[0] if n.type == "expression_statement" and n.named_children else None
        )
        if call is None or call.type != "call_expression":
            return None
        fn = call.child_by_field_name("function")
        if fn is None or fn.type != "call_expression":
            return None
        m = re.fullmatch(r"guard\s*\(\s*(\w+)\s*\)", self.raw(fn))
        given = call.child_by_field_name("arguments")
        if m is None or given is None:
            return None
        return m[1], tuple(self.expr(a) for a in given.named_children if a.type != "comment")

    def fresh(self) -> str:
        """A name for a local that nothing else uses."""
        self.hidden += 1
        return f"kept.{self.hidden}"

    def body(self, n: Node | None) -> tuple[s.Stmt, ...]:
        if n is None:
            return ()
        return self.block(n) if n.type == "compound_statement" else tuple(self.statements(n))

    def statements(self, n: Node) -> list[s.Stmt]:
        """What one statement or declaration means; [] for an empty one."""
        if not self.lenient:
            return self._statements(n)
        if n.type not in COMPOUND and n.has_error:
            return self._opaque(n, "not C that can be parsed")
        try:
            return self._statements(n)
        except SourceError as e:
            return self._opaque(n, e.what)

    def _opaque(self, n: Node, why: str) -> list[s.Stmt]:
        """A statement without a meaning here; locals that it may write are any value after it."""
        text = self.own(n)
        written = re.findall(r"(?:&\s*|\()(\w+)\b|\b(\w+)\s*(?:[-+|&^]|<<|>>)?=(?!=)", text)
        names = {a or b for a, b in written}
        local = [
            self.scopes[i][x]
            for x in sorted(names)
            for i in range(len(self.scopes))
            if x in self.scopes[i]
        ]
        return [s.OpaqueStmt(text, why, tuple(dict.fromkeys(local)), self.span(n))]

    def own(self, n: Node) -> str:
        """All that the user wrote for ``n``, blanks as one: two that differ differ in it."""
        return " ".join(self.f.text[n.start_byte : n.end_byte].split())

    def _statements(self, n: Node) -> list[s.Stmt]:
        sp = self.span(n)
        if n.type == "comment":
            return []
        if n.type == "declaration":
            return self.declaration(n)
        if n.type == "expression_statement":
            return self._expression_statement(n)
        if n.type == "compound_statement":
            return [s.Group(self.block(n), sp)]
        if n.type == "labeled_statement":
            label = n.child_by_field_name("label")
            assert label is not None
            out: list[s.Stmt] = [s.LabelStmt(self.raw(label), self.span(label))]
            for c in n.named_children[1:]:
                out += self.statements(c)
            return out
        rule = getattr(self, f"_{n.type}", None)
        if rule is None:
            raise self.fail(
                "LP0203",
                f"cannot lower '{n.type.replace('_', ' ')}'",
                n,
                expected="C's statements; no inline assembly, no nested function",
            )
        return [rule(n, sp)]

    def _expression_statement(self, n: Node) -> list[s.Stmt]:
        if not n.named_children:
            return []
        e = n.named_children[0]
        if e.type == "identifier" and self.raw(e) == "fallthrough":
            return []
        return self.effects(e)

    def effects(self, e: Node) -> list[s.Stmt]:
        """An expression for its effects; a comma makes two."""
        if e.type == "comma_expression":
            left, right = e.child_by_field_name("left"), e.child_by_field_name("right")
            assert left is not None and right is not None
            return [*self.effects(left), *self.effects(right)]
        if e.type == "cast_expression" and self.raw(e).replace(" ", "").startswith("(void)"):
            return self.effects(e.named_children[-1])
        return [s.ExprStmt(self.expr(e), self.span(e))]

    def condition(self, n: Node) -> s.Expr:
        """The test of ``n``; one without a meaning here is a call of its own, with any result."""
        c = n.child_by_field_name("condition")
        assert c is not None
        try:
            return self.expr(c)
        except SourceError:
            if not self.lenient:
                raise
            mark = hashlib.sha256(self.own(c).encode()).hexdigest()[:8]
            return s.Invoke(f"opaque_{mark}", (), self.span(c))

    def _if_statement(self, n: Node, sp: Span) -> s.Stmt:
        other = n.child_by_field_name("alternative")
        inner = other.named_children[-1] if other is not None and other.named_children else None
        return s.If(
            self.condition(n),
            self.body(n.child_by_field_name("consequence")),
            self.body(inner),
            self._head(n, sp),
        )

    def _head(self, n: Node, sp: Span) -> Span:
        """The place of ``if (…)``, without the body."""
        c = n.child_by_field_name("condition")
        if c is not None and c.end_point[0] == n.start_point[0]:
            return Span(sp.file, sp.line, sp.col, c.end_point[1] - n.start_point[1])
        return sp

    def _while_statement(self, n: Node, sp: Span) -> s.Stmt:
        body = n.child_by_field_name("body")
        macro = self.loops.get(n.start_byte)
        if macro is None:
            return s.While(self.condition(n), self.body(body), self._head(n, sp))
        c = n.child_by_field_name("condition")
        assert c is not None
        args = loops.arguments(c)
        if macro == "scoped_guard":
            return self._scoped(args, self.body(body), sp)
        if not loops.is_known(macro, len(args)) and self.lenient:
            more = s.Invoke(macro, tuple(self.expr(a) for a in args), self._head(n, sp))
            return s.While(more, self.body(body), self._head(n, sp))
        if not loops.is_known(macro, len(args)):
            raise self.fail(
                "LP0224",
                f"unknown loop macro {macro}",
                n,
                got=f"{len(args)} arguments",
                expected=", ".join(loops.KNOWN),
                next="write the loop out with for (…)",
            )
        at = self._head(n, sp)
        values = [self.expr(a) for a in args]
        self.hidden += 1
        return loops.lower_loop(macro, values, self.body(body), at, f"{macro}.{self.hidden}")

    def _scoped(self, args: list[Node], body: tuple[s.Stmt, ...], sp: Span) -> s.Stmt:
        """``scoped_guard(class, arguments) body``."""
        given = tuple(self.expr(a) for a in args[1:])
        lock, unlock = guard_calls(self.raw(args[0]), given, sp)
        return s.Group(guarded(lock, unlock, body, self.fresh), sp)

    def _do_statement(self, n: Node, sp: Span) -> s.Stmt:
        body = self.body(n.child_by_field_name("body"))
        return s.While(self.condition(n), body, sp, test_first=False)

    def _for_statement(self, n: Node, sp: Span) -> s.Stmt:
        self.scopes.append({})
        init, cond, step = (
            n.child_by_field_name(x) for x in ("initializer", "condition", "update")
        )
        first: list[s.Stmt] = []
        if init is not None:
            first = self.declaration(init) if init.type == "declaration" else self.effects(init)
        test = self.expr(cond) if cond is not None else None
        steps = self.effects(step) if step is not None else []
        body = self.body(n.child_by_field_name("body"))
        self.scopes.pop()
        return s.For(tuple(first), test, tuple(steps), body, sp)

    def _switch_statement(self, n: Node, sp: Span) -> s.Stmt:
        value = self.condition(n)
        body = n.child_by_field_name("body")
        assert body is not None
        cases: list[tuple[tuple[s.Expr, ...], tuple[s.Stmt, ...]]] = []
        self.scopes.append({})
        for c in body.named_children:
            if c.type == "comment":
                continue
            if c.type != "case_statement":
                raise self.fail("LP0203", "statement before the first case", c, expected="case …:")
            v = c.child_by_field_name("value")
            inner = self.rows(list(c.named_children[1 if v is not None else 0 :]))
            cases.append((self._values(v), tuple(inner)))
        self.scopes.pop()
        return s.Switch(value, tuple(cases), self._head(n, sp))

    def _values(self, v: Node | None) -> tuple[s.Expr, ...]:
        """The values of one case; of a range, each of them, or its ends' names."""
        if v is None:
            return ()
        e = self.expr(v)
        if not (isinstance(e, s.Ternary) and isinstance(e.cond, s.AssignE)):
            return (e,)
        low, high = e.cond.rhs, e.b  # hide_ranges() made it ``low ?: high``
        if isinstance(low, s.Num) and isinstance(high, s.Num) and high.value - low.value < 64:
            return tuple(s.Num(i, e.span) for i in range(low.value, high.value + 1))
        return (low, high)

    def _return_statement(self, n: Node, sp: Span) -> s.Stmt:
        value = n.named_children[0] if n.named_children else None
        return s.ReturnStmt(self.expr(value) if value is not None else None, sp)

    def _break_statement(self, n: Node, sp: Span) -> s.Stmt:
        return s.BreakStmt(sp)

    def _continue_statement(self, n: Node, sp: Span) -> s.Stmt:
        return s.ContinueStmt(sp)

    def _goto_statement(self, n: Node, sp: Span) -> s.Stmt:
        label = n.child_by_field_name("label")
        assert label is not None
        return s.Goto(self.raw(label), sp)


def _find_error(n: Node) -> Node | None:
    """The first ERROR or missing token in the tree, innermost; or None."""
    if not n.has_error:
        return None
    if n.is_missing or (n.is_error and not any(c.has_error for c in n.children)):
        return n
    for c in n.children:
        got = _find_error(c)
        if got is not None:
            return got
    return n

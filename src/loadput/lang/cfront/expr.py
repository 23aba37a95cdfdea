"""C expressions to the syntax tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...base.errors import SourceError
from ...base.source import Span
from .. import syntax as s
from .clean import words
from .config import ask

if TYPE_CHECKING:
    from tree_sitter import Node

_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "\\": 92, "'": 39, '"': 34, "a": 7, "b": 8}
_OPERATION = re.compile(r"kvm_x86_ops(?:\.|->)(\w+)\Z")
_UNSIGNED = words("unsigned u8 u16 u32 u64 uint ulong __u8 __u16 __u32 __u64 size_t")


class Expressions:
    """The expression half of the reader of one function; `parse._Function` is the other."""

    text: str
    assumed: list[str]
    scopes: list[dict[str, str]]
    config: Mapping[str, bool]
    hidden: int

    def span(self, n: Node) -> Span:
        raise NotImplementedError

    def fail(self, code: str, what: str, n: Node, **more: str) -> SourceError:
        raise NotImplementedError

    def raw(self, n: Node) -> str:
        """The text of ``n``."""
        return self.text[n.start_byte : n.end_byte]

    def part(self, n: Node, field: str) -> Node:
        got = n.child_by_field_name(field)
        if got is None:
            raise self.fail("LP0203", f"{n.type.replace('_', ' ')} without {field}", n)
        return got

    def expr(self, n: Node) -> s.Expr:
        """The expression ``n``; raises SourceError (LP0203) where it has no meaning here."""
        rule = getattr(self, f"_e_{n.type}", None)
        if rule is None:
            named = {"gnu_asm_expression": "inline assembly", "compound_statement": "({ … })"}
            raise self.fail(
                "LP0203",
                f"cannot lower {named.get(n.type) or repr(n.type.replace('_', ' '))}",
                n,
                got=f"'{self.raw(n).strip().splitlines()[0][:50]}'",
                expected="C's operators, calls, fields, constants",
                next="loadput explain LP0203",
            )
        got: s.Expr = rule(n, self.span(n))
        return got

    # atoms

    def _e_identifier(self, n: Node, sp: Span) -> s.Expr:
        name = self.raw(n)
        for scope in reversed(self.scopes):
            if name in scope:
                return s.Name(scope[name], sp)
        return s.Name(name, sp)

    def _e_null(self, n: Node, sp: Span) -> s.Expr:
        return s.Name("NULL", sp)

    def _e_true(self, n: Node, sp: Span) -> s.Expr:
        return s.Name("true", sp)

    def _e_false(self, n: Node, sp: Span) -> s.Expr:
        return s.Name("false", sp)

    def _e_number_literal(self, n: Node, sp: Span) -> s.Expr:
        text = re.sub(r"[uUlL]+\Z", "", self.raw(n))
        try:
            octal = len(text) > 1 and text[0] == "0" and text[1].isdigit()
            return s.Num(int(text, 8 if octal else 0), sp)
        except ValueError:
            raise self.fail("LP0203", f"number '{text}'", n, expected="an integer") from None

    def _e_char_literal(self, n: Node, sp: Span) -> s.Expr:
        body = self.raw(n)[1:-1]
        if len(body) == 1:
            return s.Num(ord(body), sp)
        if len(body) == 2 and body[1] in _ESCAPES:
            return s.Num(_ESCAPES[body[1]], sp)
        if re.fullmatch(r"\\x[0-9a-fA-F]{1,2}", body):
            return s.Num(int(body[2:], 16), sp)
        raise self.fail("LP0203", f"character {self.raw(n)}", n, expected="one character")

    def _e_string_literal(self, n: Node, sp: Span) -> s.Expr:
        return s.Str(self.raw(n)[1:-1], sp)

    def _e_compound_literal_expression(self, n: Node, sp: Span) -> s.Expr:
        return s.Name(re.sub(r"\W+", "_", self.raw(n)).strip("_")[:60] or "literal", sp)

    def _e_concatenated_string(self, n: Node, sp: Span) -> s.Expr:
        return s.Str("", sp)

    def _e_parenthesized_expression(self, n: Node, sp: Span) -> s.Expr:
        inner = [c for c in n.named_children if c.type != "comment"]
        return self.expr(inner[0])

    def _e_sizeof_expression(self, n: Node, sp: Span) -> s.Expr:
        return s.Name(re.sub(r"\W+", "_", self.raw(n)).strip("_"), sp)

    # places

    def _e_field_expression(self, n: Node, sp: Span) -> s.Expr:
        base, name = self.expr(self.part(n, "argument")), self.raw(self.part(n, "field"))
        return s.Member(base, name, sp, any(c.type == "->" for c in n.children))

    def _e_subscript_expression(self, n: Node, sp: Span) -> s.Expr:
        return s.Index(self.expr(self.part(n, "argument")), self.expr(self.part(n, "index")), sp)

    def _e_pointer_expression(self, n: Node, sp: Span) -> s.Expr:
        return s.Unary(self.raw(self.part(n, "operator")), self.expr(self.part(n, "argument")), sp)

    # operators

    def _e_unary_expression(self, n: Node, sp: Span) -> s.Expr:
        op, a = self.raw(self.part(n, "operator")), self.expr(self.part(n, "argument"))
        return a if op == "+" else s.Unary(op, a, sp)

    def _e_binary_expression(self, n: Node, sp: Span) -> s.Expr:
        left, right = self.expr(self.part(n, "left")), self.expr(self.part(n, "right"))
        return s.Binary(self.raw(self.part(n, "operator")), left, right, sp)

    def _e_comma_expression(self, n: Node, sp: Span) -> s.Expr:
        return s.Comma(self.expr(self.part(n, "left")), self.expr(self.part(n, "right")), sp)

    def _e_assignment_expression(self, n: Node, sp: Span) -> s.Expr:
        op = self.raw(self.part(n, "operator"))[:-1]
        return s.AssignE(self.expr(self.part(n, "left")), op, self.expr(self.part(n, "right")), sp)

    def _e_update_expression(self, n: Node, sp: Span) -> s.Expr:
        a, op = self.expr(self.part(n, "argument")), self.raw(self.part(n, "operator"))
        if n.children[0].type == op:
            return s.AssignE(a, op[0], s.Num(1, sp), sp)
        return s.PostInc(a, 1 if op == "++" else -1, sp)

    def _e_conditional_expression(self, n: Node, sp: Span) -> s.Expr:
        cond = self.expr(self.part(n, "condition"))
        yes = n.child_by_field_name("consequence")
        other = self.expr(self.part(n, "alternative"))
        if yes is not None:
            return s.Ternary(cond, self.expr(yes), other, sp)
        self.hidden += 1  # a ?: b evaluates a once
        keep = s.Name(f"either.{self.hidden}", sp)
        return s.Ternary(s.AssignE(keep, "", cond, sp), keep, other, sp)

    def _e_cast_expression(self, n: Node, sp: Span) -> s.Expr:
        of = re.findall(r"\w+|\*", self.raw(self.part(n, "type")))
        value = self.expr(self.part(n, "value"))
        if "*" in of:
            if of[0] == "struct" and of.count("*") == 1:
                return s.Invoke("__pointer_cast", (value, s.Name(of[1], sp)), sp)
            return value
        if of in (["bool"], ["_Bool"]):
            return s.Unary("!", s.Unary("!", value, sp), sp)
        return s.Invoke("__unsigned", (value,), sp) if _UNSIGNED & set(of) else value

    # calls

    def _e_call_expression(self, n: Node, sp: Span) -> s.Expr:
        fn, given = self.part(n, "function"), self.part(n, "arguments")
        args = [c for c in given.named_children if c.type != "comment"]
        name = self._callee(fn)
        if name in ("IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE") and len(args) == 1:
            return s.Num(int(ask(self.raw(args[0]), self.config, self.assumed)), sp)
        if name == "vcpu_to_pmu" and len(args) == 1:
            arch = s.Member(self.expr(args[0]), "arch", sp, True)
            return s.Unary("&", s.Member(arch, "pmu", sp), sp)
        if name == "offsetOf":
            return s.Name(re.sub(r"\W+", "_", f"offsetof_{self.raw(given)}").strip("_"), sp)
        return s.Invoke(name, tuple(self.expr(a) for a in args), sp)

    def _callee(self, fn: Node) -> str:
        """The name of what is called; a static call and a call through a pointer have one too."""
        if fn.type == "identifier":
            return self.raw(fn)
        if fn.type == "parenthesized_expression":
            return self._callee(fn.named_children[0])
        if fn.type == "pointer_expression" and self.raw(fn).startswith("*"):
            return self._callee(fn.named_children[-1])
        if fn.type == "call_expression":
            outer = self.raw(self.part(fn, "function"))
            inner = self.raw(self.part(fn, "arguments")).strip("() \t\n")
            if outer.startswith("static_call"):
                return inner
            if outer in ("kvm_x86_call", "kvm_pmu_call"):
                return f"kvm_x86_{'pmu_' if outer == 'kvm_pmu_call' else ''}{inner}"
            if outer in ("guard", "CLASS", "scoped_cond_guard"):
                raise self.fail(
                    "LP0203",
                    f"scope-based cleanup: {outer}({inner})",
                    fn,
                    expected="the lock and unlock calls written out",
                )
            raise self.fail(
                "LP0203",
                f"call of what {outer}(…) gives",
                fn,
                expected="a function by name, static_call(name)(…), or pointer->name(…)",
            )
        text = re.sub(r"\s+", "", self.raw(fn))
        op = _OPERATION.match(text)
        if op:
            return f"kvm_x86_{op[1]}"
        if fn.type in ("field_expression", "subscript_expression") and not set(text) & set('()"%$'):
            return text.replace("[", ".").replace("]", "")
        raise self.fail("LP0203", "call through an expression", fn, expected="a name or a field")

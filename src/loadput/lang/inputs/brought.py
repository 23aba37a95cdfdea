"""Macros that a patch brings, in place of their calls: they have no meaning of their own here.

A macro that the kernel has stays what the specification takes it for.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..cfront import CFunction
from ..cfront.clean import blank_comments
from .diff import FileDiff

DEEP = 8
"""How many macros may stand in each other."""
_HEAD = re.compile(
    r"\s*#\s*define\s+(?P<name>[A-Za-z_]\w*)\((?P<params>[\w\s,]*)\)\s*(?P<body>.*)$"
)
_NUMBER = re.compile(r"\s*#\s*define\s+(?P<name>[A-Za-z_]\w*)\s+(?P<value>\S.*?)\s*$")
_ENUM = re.compile(r"\benum\b[^{};()]*\{(?P<body>[^{}]*)\}")
_WORDED = ((r"\b(0x[\da-fA-F]+|\d+)[uUlL]+\b", r"\1"), (r"\bBIT(?:_ULL)?\(", "(1 << "))
_ONE: dict[type, Callable[[int], int]] = {
    **{ast.Invert: operator.invert, ast.USub: operator.neg, ast.UAdd: operator.pos}
}
_TWO: dict[type, Callable[[int, int], int]] = {
    **{ast.Add: operator.add, ast.Sub: operator.sub, ast.LShift: operator.lshift},
    **{ast.BitOr: operator.or_, ast.BitAnd: operator.and_},
}
_DO = re.compile(r"do\s*(?P<body>\{.*\})\s*while\s*\(\s*0\s*\)$")
_KEY = re.compile(r"(?:DEFINE|DECLARE)_STATIC_KEY_FALSE\((?P<name>\w+)\)")
_OF_KEY = r"\bstatic_branch_{0}\(\s*&{1}\s*\)"
_SET = {"enable": " = true", "inc": " = true", "disable": " = false", "dec": " = false"}


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro with parameters; without a statement's ``do`` and ``while (0)``."""

    params: tuple[str, ...]
    body: str

    def of(self, args: Sequence[str]) -> str:
        """Its text with ``args``."""
        given = dict(zip(self.params, args, strict=True))
        return re.sub(r"\b[A-Za-z_]\w*\b", lambda m: given.get(m[0], m[0]), self.body)


@dataclass(frozen=True, slots=True)
class Brought:
    """What a patch, or those of a series before it, brings.

    :param numbers: macros that are a number
    :param keys: static keys, each with the place that brings it
    """

    macros: Mapping[str, Macro] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.macros or self.numbers or self.keys)

    def more(self, diffs: Sequence[FileDiff], named: Container[str]) -> Brought:
        """With what ``diffs`` bring.

        :param named: constants that have another name there: they keep the old one
        """
        numbers = {n: v for n, v in brought_numbers(diffs).items() if n not in named}
        return Brought(
            {**self.macros, **brought_macros(diffs)},
            {**self.numbers, **numbers},
            {**self.keys, **brought_keys(diffs)},
        )


def brought_macros(diffs: Iterable[FileDiff]) -> dict[str, Macro]:
    """The macros with parameters that the diffs bring, and take out none of the same name."""
    rows = [(k, text) for d in diffs for h in d.hunks for k, text, _ in h.body]
    gone = {m["name"] for k, text in rows if k != "+" and (m := _HEAD.match(text))}
    out: dict[str, Macro] = {}
    for name, params, body in _defined([text for k, text in rows if k == "+"]):
        names = tuple(p.strip() for p in params.split(",") if p.strip())
        if name not in gone and "#" not in body and name not in re.findall(r"\w+", body):
            m = _DO.match(body)
            out[name] = Macro(names, m["body"] if m else body)
    return out


def _defined(rows: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(name, parameters, body on one line) of each."""
    for i, row in enumerate(rows):
        whole = row
        while whole.rstrip().endswith("\\") and i + 1 < len(rows):
            i += 1
            whole = whole.rstrip()[:-1] + " " + rows[i]
        m = _HEAD.match(blank_comments(whole)) if "#" in row else None
        if m:
            yield m["name"], m["params"], " ".join(m["body"].split())


def brought_numbers(diffs: Iterable[FileDiff]) -> dict[str, str]:
    """The macros without parameters and the enumerators that the diffs bring, with their numbers.

    An enumerator's is known where its whole enum is brought.
    """
    hunks = [[(k, blank_comments(text)) for k, text, _ in h.body] for d in diffs for h in d.hunks]
    old = " ".join(text for rows in hunks for k, text in rows if k != "+")
    gone = set(re.findall(r"\w+", old))
    out: dict[str, str] = {}
    for rows in hunks:
        fresh = [text if k == "+" else ";{" for k, text in rows]  # no enum goes on behind these
        for m in filter(None, map(_NUMBER.match, fresh)):
            out[m["name"]] = m["value"]
        for m in _ENUM.finditer("\n".join(fresh)):
            out |= _enumerated(m["body"])
    known = {n: v for n, text in out.items() if (v := _number(text, out)) is not None}
    return {n: v for n, v in known.items() if n not in gone}


def _enumerated(body: str) -> dict[str, str]:
    """Each enumerator as a sum: what was last given, and how many come after."""
    out: dict[str, str] = {}
    base, after = "0", 0
    for part in filter(None, (p.strip() for p in body.split(","))):
        name, _, value = (x.strip() for x in part.partition("="))
        base, after = (value, 0) if value else (base, after)
        out[name] = f"{base} + {after}" if after else base
        after += 1
    return out


def _number(text: str, known: Mapping[str, str], deep: int = DEEP) -> str | None:
    """What a constant expression comes to, as C says it; None where it is none."""
    if text in ("true", "false"):
        return text
    for old, new in _WORDED:
        text = re.sub(old, new, text)
    names = {m for m in re.findall(r"\b[A-Za-z_]\w*", text) if m in known} if deep else set()
    for n in names:
        value = _number(known[n], known, deep - 1)
        text = re.sub(rf"\b{n}\b", f"({value})", text)
    if re.search(r"\b0\d", text):
        return None  # octal
    try:
        return str(_worth(ast.parse(text.strip(), mode="eval").body))
    except (SyntaxError, TypeError, ValueError):
        return None


def _worth(e: ast.expr) -> int:
    """:raises ValueError: no sum, shift or bits of numbers that are in the text"""
    if isinstance(e, ast.Constant) and type(e.value) is int:
        return e.value
    if isinstance(e, ast.UnaryOp) and type(e.op) in _ONE:
        return _ONE[type(e.op)](_worth(e.operand))
    if isinstance(e, ast.BinOp) and type(e.op) in _TWO:
        a, b = _worth(e.left), _worth(e.right)
        if not isinstance(e.op, ast.LShift) or 0 <= b < 64:
            return _TWO[type(e.op)](a, b)
    raise ValueError("no constant")


def brought_keys(diffs: Iterable[FileDiff]) -> dict[str, str]:
    """The static keys that the diffs bring and that are off, each with the place that does."""
    rows = [r for d in diffs for h in d.hunks for r in h.body]
    kept = {m["name"] for k, text, _ in rows if k != "+" and (m := _KEY.search(text))}
    found = [(m["name"], at) for k, text, at in rows if k == "+" and (m := _KEY.search(text))]
    return {name: f"{at.file}:{at.number}" for name, at in found if name not in kept}


def read_in_place(f: CFunction, brought: Brought) -> CFunction:
    """``f`` with its calls of macros as what they stand for, and static keys as variables.

    As many lines as before, so that each is where it was.
    """
    text = f.text
    for k in brought.keys:
        if k in text:
            for does in ("likely", "unlikely", *_SET):
                text = re.sub(_OF_KEY.format(does, k), k + _SET.get(does, ""), text)
    for _ in range(DEEP):
        was = text
        for n in (n for n in brought.macros if n in text):
            text = _without_calls(text, n, brought.macros[n])
        if text == was:
            break
    said = [n for n in brought.numbers if n in text]
    if said:
        text = re.sub(rf"\b({'|'.join(said)})\b", lambda m: brought.numbers[m[1]], text)
    return f if text == f.text else replace(f, text=text)


def _without_calls(text: str, name: str, macro: Macro) -> str:
    out, last = [], 0
    for m in re.finditer(rf"\b{name}\s*\(", text):
        if m.start() < last:
            continue
        got = _arguments(text, m.end())
        if got is None or len(got[0]) != len(macro.params):
            continue
        args, end = got
        body = macro.of(args)
        if body.startswith("{") and (semi := re.match(r"\s*;", text[end:])):
            end += semi.end()
        out += [text[last : m.start()], body, "\n" * text.count("\n", m.start(), end)]
        last = end
    return "".join([*out, text[last:]])


def _arguments(text: str, at: int) -> tuple[list[str], int] | None:
    """The arguments of a call whose parenthesis is open at ``at``, and where it ends."""
    args, depth, start = [], 0, at
    for i in range(at, len(text)):
        c = text[i]
        if c in "([{":
            depth += 1
        elif c in ")]}" and depth:
            depth -= 1
        elif c == ")" or (c == "," and not depth):
            args.append(" ".join(text[start:i].split()))
            start = i + 1
            if c == ")":
                return ([] if args == [""] else args), i + 1
    return None

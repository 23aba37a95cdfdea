"""Write the C of a kernel tree in other ways that do the same, and see what is said of each.

    python tools/rewrite.py TREE [--arch a,b] [--only FUNCTION] [--every N] [-v]

For each function that the specification mirrors and the tree has, and each place in it: a test is
kept in a local, if and else are turned, `&&` becomes two ifs, `==` has its sides exchanged, `!x`
becomes `x == 0`, a test a switch or a `?:`, what is behind a return goes into its else, returns
become jumps to the end, a while becomes a for, a lock or a disabled preemption becomes a
scoped_guard(), an argument and an initializer become statements of their own, a local gets another
name, `x++` becomes `x += 1`, the body goes into a helper. Each is a patch in text, judged as any
other. The right answer is *changes nothing that is modelled* or, where the rewriting is not
understood, *not judged*: the table counts these, what was carried over and violates nothing, and
what is *wrong*.
"""

from __future__ import annotations

import argparse
import collections
import difflib
import re
from collections.abc import Iterator
from pathlib import Path

import loadput as lp
from loadput.base.errors import LoadputError
from loadput.check.basis import tree_release
from loadput.check.judge import SAME
from loadput.check.mirrors import find_in_tree
from loadput.check.scope import places_on
from loadput.lang.cfront.found import CFunction
from loadput.link.overlay import known_archs
from loadput.link.program import specification

KINDS = (
    *("kept", "turned", "nested", "sides", "zero", "else", "early", "switch", "choice", "while"),
    *("guarded", "argument", "assigned", "renamed", "sum", "goto", "wrapped"),
)
SAID = ("nothing", "not judged", "no violation", "wrong")
BLANK = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#[^\n]*', re.S | re.M
)
HEADER = re.compile(r"(if|while|for|switch|\w*for_each\w*|scoped_guard|do)\b\s*")
LEAVES = re.compile(r"(return|goto|break|continue)\b")
LABEL = re.compile(r"^\s*(\w+\s*:(?!:)|case\b|default\b)", re.M)
FIELD = re.compile(r"\w+((->|\.)\w+)+")
DECLARED = re.compile(r"((?:struct |unsigned |enum )?\w+) (\*?)(\w+) = ([^{,][^,]*);")
WRITES = re.compile(r"smp_|_*this_cpu|raw_cpu|get_user|put_user|swap|rdmsr|local_|raw_local|[A-Z]")
GUARDS = {
    r"preempt_disable\(\)": (r"preempt_enable()", "preempt"),
    r"local_irq_disable\(\)": (r"local_irq_enable()", "irq"),
    r"local_irq_save\((\w+)\)": (r"local_irq_restore(\1)", "irqsave"),
    r"spin_lock\(([^;]*)\)": (r"spin_unlock(\1)", r"spinlock, \1"),
    r"raw_spin_lock\(([^;]*)\)": (r"raw_spin_unlock(\1)", r"raw_spinlock, \1"),
    r"mutex_lock\(([^;]*)\)": (r"mutex_unlock(\1)", r"mutex, \1"),
    r"srcu_read_lock\(\)": (r"srcu_read_unlock()", "srcu"),
}


class Text:
    """A function's text, with its comments and strings blank in ``m``: places are the same."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.m = BLANK.sub(lambda f: re.sub(r"[^\n]", " ", f[0]), raw)

    def skip(self, i: int) -> int:
        """The next place that is not blank."""
        while i < len(self.m) and self.m[i].isspace():
            i += 1
        return i

    def close(self, i: int) -> int:
        """Behind the bracket that closes the one at ``i``."""
        depth = 0
        for j in range(i, len(self.m)):
            depth += (self.m[j] in "([{") - (self.m[j] in ")]}")
            if depth == 0:
                return j + 1
        raise ValueError("a bracket stays open")

    def until(self, i: int, stop: str) -> int:
        """The next ``stop`` outside brackets."""
        while self.m[i] != stop:
            i = self.close(i) if self.m[i] in "([{" else i + 1
        return i

    def end(self, i: int) -> int:
        """Behind the statement that begins at ``i``."""
        if self.m[i] == "{":
            return self.close(i)
        head = HEADER.match(self.m, i)
        if head is None:
            return self.until(i, ";") + 1
        if head[1] == "do":
            return self.until(self.end(self.skip(head.end())), ";") + 1
        behind = self.end(self.skip(self.close(head.end())))
        other = self.skip(behind)
        if head[1] == "if" and re.match(r"else\b", self.m[other:]):
            return self.end(self.skip(other + 4))
        return behind

    def items(self, i: int) -> list[tuple[int, int]]:
        """The statements of the block at ``i``, from and to."""
        out, last = [], self.close(i) - 1
        at = self.skip(i + 1)
        while at < last:
            label = LABEL.match(self.m, at)
            if label and not self.m[at:].startswith("case"):
                at = self.skip(label.end())
                continue
            if label:
                at = self.skip(self.until(at, ":") + 1)
                continue
            out.append((at, self.end(at)))
            at = self.skip(out[-1][1])
        return out

    def put(self, a: int, b: int, new: str) -> str:
        """The text with ``new`` from ``a`` to ``b``."""
        return self.raw[:a] + new + self.raw[b:]

    def parts(self, cond: str, by: str) -> list[str]:
        """``cond`` cut at ``by``, outside brackets."""
        out, depth, last = [], 0, 0
        for i, ch in enumerate(cond):
            depth += (ch in "([{") - (ch in ")]}")
            if depth == 0 and cond.startswith(by, i) and i >= last:
                out.append(cond[last:i])
                last = i + len(by)
        return [*out, cond[last:]]


def rewrites(raw: str) -> Iterator[tuple[str, str, str]]:
    """``(kind, where, the function written in another way)`` for each place of a function."""
    t = Text(raw)
    top = t.m.index("{", t.close(t.m.index("(")))
    yield from _whole(t, top)
    for block in [i for i, ch in enumerate(t.m) if ch == "{" and i >= top]:
        before = t.m[:block].rstrip()
        if before.endswith(("=", ",", "(", "{")) and block != top:
            continue  # of an initializer
        items = t.items(block)
        for n, (a, b) in enumerate(items):
            rest = (items[n + 1][0], t.close(block) - 1) if n + 1 < len(items) else None
            if re.search(r"^[ \t]*#", raw[a : rest[1] if rest else b], re.M):
                continue  # what is cut by an #if
            for kind, new in _of(t, a, b, rest, block == top):
                yield kind, raw[a:b].split("\n")[0].strip(), new


def _of(
    t: Text, a: int, b: int, rest: tuple[int, int] | None, is_top: bool
) -> Iterator[tuple[str, str]]:
    head = HEADER.match(t.m, a)
    if head and head[1] == "if":
        yield from _of_if(t, a, b, rest, is_top)
    elif head and head[1] == "while":
        behind = t.close(head.end())
        cond, body = t.raw[head.end() : behind], t.raw[behind:b].strip()
        if body != ";":
            yield "while", t.put(a, b, f"for (;;) {{\nif (!{cond})\nbreak;\n{body}\n}}")
    elif head is None:
        yield from _of_one(t, a, b, rest)


def _of_if(
    t: Text, a: int, b: int, rest: tuple[int, int] | None, is_top: bool
) -> Iterator[tuple[str, str]]:
    opened = t.m.index("(", a)
    behind = t.close(opened)
    cond, masked = t.raw[opened + 1 : behind - 1], t.m[opened + 1 : behind - 1]
    then_end = t.end(t.skip(behind))
    then = t.raw[behind:then_end].strip()
    other = t.raw[t.skip(then_end) + 4 : b].strip() if then_end < b else ""
    yield "kept", t.put(a, b, f"{{\nbool kept = {cond};\nif (kept)\n{t.raw[behind:b].strip()}\n}}")
    ors, ands = t.parts(masked, "||"), t.parts(masked, "&&")
    yield from _of_cond(t, opened, behind)
    equals = re.fullmatch(r"([\w>.-]+) == ([A-Z]\w+)", cond)
    if equals and not re.search(r"\b(break|continue)\b|^\s*\w+:", t.m[behind:b], re.M):
        rest_of = f"default:\n{other or ';'}\nbreak;"
        new = f"switch ({equals[1]}) {{\ncase {equals[2]}:\n{then}\nbreak;\n{rest_of}\n}}"
        yield "switch", t.put(a, b, new)
    one, two = (
        re.fullmatch(r"\{?\s*([\w>.-]+ = |return )([^;]+);\s*\}?", x) for x in (then, other)
    )
    if one and two and one[1] == two[1]:
        yield "choice", t.put(a, b, f"{one[1]}({cond}) ? ({one[2]}) : ({two[2]});")
    if other:
        yield "turned", t.put(a, b, f"if (!({cond})) {{\n{other}\n}} else {{\n{then}\n}}")
        return
    if len(ors) == 1 and len(ands) > 1 and "?" not in masked:
        cut = len(ands[0])
        rest_of = cond[cut + 2 :].strip()
        yield "nested", t.put(a, b, f"if ({cond[:cut].strip()}) {{\nif ({rest_of})\n{then}\n}}")
    last = t.skip(behind)
    if t.m[last] == "{" and t.items(last):
        last = t.items(last)[-1][0]
    if LEAVES.match(t.m, last) and rest and not LABEL.search(t.m[rest[0] : rest[1]]):
        after = t.raw[rest[0] : rest[1]].rstrip()
        yield "else", t.put(a, rest[1], f"if ({cond}) {{\n{then}\n}} else {{\n{after}\n}}\n")
    if is_top and rest is None and re.search(r"\bvoid\b", t.m[: t.m.index("(")]):
        yield "early", t.put(a, b, f"if (!({cond}))\nreturn;\n{then}")


def _of_cond(t: Text, opened: int, behind: int) -> Iterator[tuple[str, str]]:
    cond, masked = t.raw[opened + 1 : behind - 1], t.m[opened + 1 : behind - 1]
    asked = re.fullmatch(r"(!?)([\w>.-]+(?:\([\w>., &-]*\))?)", masked)
    if asked:
        yield "zero", t.put(opened + 1, behind - 1, f"{asked[2]} {'=' if asked[1] else '!'}= 0")
    if "||" not in masked and "&&" not in masked and not re.search(r"[^=!<>]=[^=]|[?&|^]", masked):
        for op in ("==", "!="):
            sides = t.parts(masked, op)
            if len(sides) == 2:
                cut = len(sides[0])
                turned = f"{cond[cut + 2 :].strip()} {op} {cond[:cut].strip()}"
                yield "sides", t.put(opened + 1, behind - 1, turned)


def _of_one(t: Text, a: int, b: int, rest: tuple[int, int] | None) -> Iterator[tuple[str, str]]:
    text = t.m[a:b]
    for first, (second, guard) in GUARDS.items():
        met = re.fullmatch(first + ";", text)
        if met and rest:
            closing = met.expand(second) + ";"
            for x, y in _behind(t, rest):
                if t.m[x:y] == closing:
                    body = t.raw[b:x].strip()
                    if not re.search(r"\b(return|goto|break|continue)\b|^\s*\w+:", t.m[b:x], re.M):
                        new = f"scoped_guard({met.expand(guard)}) {{\n{body}\n}}"
                        yield "guarded", t.put(a, y, new)
                    break
    added = re.fullmatch(r"([\w>.-]+)(?:\+\+| (\+)= ([^;]+));", text)
    if added:
        new = f"{added[1]} = {added[1]} + ({added[3]});" if added[2] else f"{added[1]} += 1;"
        yield "sum", t.put(a, b, new)
    call = re.match(r"(\w+)\(", text)
    if call and t.close(a + call.end() - 1) == b - 1 and not WRITES.match(call[1]):
        for arg in t.parts(text[call.end() : -2], ","):
            if FIELD.fullmatch(arg.strip()):
                at = a + text.index(arg.strip(), call.end())
                new = t.raw[a:at] + "kept" + t.raw[at + len(arg.strip()) : b]
                yield (
                    "argument",
                    t.put(a, b, f"{{\ntypeof({arg.strip()}) kept = {arg.strip()};\n{new}\n}}"),
                )
                break
    local = DECLARED.fullmatch(text)
    if local and local[1] not in ("return", "static", "const"):
        kind, star, name, _ = local.groups()
        value = t.raw[a + local.start(4) : b]
        yield "assigned", t.put(a, b, f"{kind} {star}{name};\n\n{name} = {value}")
        again = re.compile(rf"(?<![\w.])(?<!->){name}\b")
        rows = "".join(
            t.raw[x:y] if n % 2 else again.sub(f"{name}_renamed", t.raw[x:y])
            for n, (x, y) in enumerate(_kept_as_they_are(t))
        )
        yield "renamed", rows


def _behind(t: Text, rest: tuple[int, int]) -> Iterator[tuple[int, int]]:
    at = rest[0]
    while at < rest[1]:
        end = t.end(at)
        yield at, end
        at = t.skip(end)


def _kept_as_they_are(t: Text) -> list[tuple[int, int]]:
    """The text, cut into code and what is blank in the mask, in turn."""
    out, last = [], 0
    for f in BLANK.finditer(t.raw):
        out += [(last, f.start()), f.span()]
        last = f.end()
    return [*out, (last, len(t.raw))]


def _whole(t: Text, top: int) -> Iterator[tuple[str, str, str]]:
    """The body in a helper that the function calls."""
    head = re.match(r"([^(]*\W)(\w+)\s*\(", t.m)
    if head is None or head[2].isupper():
        return  # of a macro's body
    kind, name = head.groups()
    behind = t.close(head.end() - 1)
    params = t.raw[head.end() - 1 : behind]
    if re.search(r"\.\.\.|\(\*", params):
        return  # arguments that have no name of their own
    given = [] if params == "(void)" else t.parts(params[1:-1], ",")
    names = [re.findall(r"\w+", re.sub(r"\[.*?\]", "", p)) for p in given]
    if not all(names):
        return
    args = ", ".join(words[-1] for words in names)
    gives = not re.search(r"\bvoid\s*$", kind)
    helper = re.sub(r"\b(static|inline|__always_inline|__visible|asmlinkage)\s+", "", kind)
    call = f"{'return ' if gives else ''}__{name}_body({args});"
    inner = f"static {helper.lstrip()}__{name}_body{t.raw[head.end() - 1 :]}"
    if not gives and re.search(r"\breturn;", t.m):
        out = re.sub(r"\breturn;", "goto behind;", t.raw).rstrip().removesuffix("}")
        yield "goto", f"{name}()", f"{out}behind:\nreturn;\n}}"
    yield "wrapped", f"{name}()", f"{inner}\n\n{t.raw[:top]}{{\n{call}\n}}"


def patches(tree: Path, arch: str) -> Iterator[tuple[str, str, str, str]]:
    """``(function, kind, where, patch)`` of all that ``arch`` mirrors and the tree has."""
    defs, _ = specification(lp.Choice(arch, release=tree_release(tree, [arch])))
    for name, f in sorted(find_in_tree(tree, places_on(arch, defs)).items()):
        raw = "\n".join(line.text for line in f.lines)
        if not raw.rstrip().endswith("}") or "\n{" not in raw or raw.startswith("DEFINE_"):
            continue  # a macro, assembly, a line of a table, a body on one line
        for kind, where, new in rewrites(raw):
            yield name, kind, where, as_patch(tree, f, raw, new)


def as_patch(tree: Path, f: CFunction, raw: str, new: str) -> str:
    """A diff that puts ``new`` where the function is."""
    text = (tree / f.path).read_text("utf-8", "replace")
    at = text.index(raw)
    first = text.rfind("\n", 0, at) + 1
    last = text.find("\n", at + len(raw)) + 1 or len(text)
    rows = [(text[first:at] + x + text[at + len(raw) : last]).splitlines(True) for x in (raw, new)]
    above = text[:first].count("\n")

    def lower(m: re.Match[str]) -> str:
        return f"@@ -{int(m[1]) + above}{m[2]} +{int(m[3]) + above}{m[4]} @@"

    diff = "".join(difflib.unified_diff(*rows, f"a/{f.path}", f"b/{f.path}"))
    return re.sub(r"^@@ -(\d+)(\S*) \+(\d+)(\S*) @@", lower, diff, flags=re.M)


def answer(tree: Path, arch: str, diff: str, scenario: str = "one") -> tuple[str, str]:
    """One of SAID, and in which words."""
    try:
        j = lp.judge(diff, tree=tree, arch=arch, scenario=scenario)
    except LoadputError as e:
        return "wrong", str(e).split("\n")[0]
    if (j.verdict, j.exit_code) == (SAME, 0):
        return "nothing", j.verdict
    idle = [n for x in j.judging.judged for n in x.idle]
    if j.exit_code == 4:
        return "not judged", j.verdict
    return ("wrong" if j.exit_code or idle else "no violation"), f"{j.verdict} {idle or ''}"


def main() -> None:
    """Print the table."""
    how = argparse.RawTextHelpFormatter
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=how)
    ask.add_argument("tree", type=Path)
    ask.add_argument("--arch", default="")
    ask.add_argument("--only", default="", help="one function")
    ask.add_argument("--every", type=int, default=1, help="each Nth place")
    ask.add_argument("-v", "--verbose", action="store_true")
    given = ask.parse_args()
    total: collections.Counter[tuple[str, str]] = collections.Counter()
    print(f"{'':12s}" + "".join(f"{w:>14s}" for w in SAID))
    for arch in given.arch.split(",") if given.arch else known_archs():
        here: collections.Counter[tuple[str, str]] = collections.Counter()
        for n, (name, kind, where, diff) in enumerate(patches(given.tree, arch)):
            if n % given.every or (given.only and given.only != name):
                continue
            said, words = answer(given.tree, arch, diff)
            here[kind, said] += 1
            if said == "wrong" or (given.verbose and said != "nothing"):
                print(f"  {arch} {name} {kind}: {where[:60]} -> {said}: {words[:90]}", flush=True)
        total += here
        print(_row(arch, here), flush=True)
    for kind in KINDS:
        print(_row(kind, collections.Counter({k: n for k, n in total.items() if k[0] == kind})))


def _row(name: str, n: collections.Counter[tuple[str, str]]) -> str:
    cells = [sum(v for (_, said), v in n.items() if said == w) for w in SAID]
    return f"{name:12s}" + "".join(f"{c:14,d}" for c in cells)


if __name__ == "__main__":
    main()

"""Kernel C made plain for a C parser, without moving a character.

Comments, annotations and directives become spaces; loop macros become ``while`` of the same
length. Every offset, line and column stays that of the text the user gave.
"""

from __future__ import annotations

import re

_SKIP = re.compile(
    r'/\*.*?(?:\*/|\Z)|//(?:\\\n|[^\n])*|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\[^\n]{1,4}?|[^'\\\n])'",
    re.S,
)


def words(text: str) -> frozenset[str]:
    """The set of the words in ``text``."""
    return frozenset(text.split())


# Words that say nothing about what a function does: storage, sections, checkers, address spaces.
ANNOTATIONS = words("""
    __always_inline __inline __inline__ inline noinline noinline_for_stack noinstr notrace
    nokprobe_inline __init __exit __meminit __cpuinit __ref __refdata __read_mostly
    __ro_after_init __user __rcu __percpu __iomem __force __bitwise __kernel __nocast __safe
    __kprobes asmlinkage __sched __visible __used __maybe_unused __always_unused __cold __hot
    __pure __weak __must_check __malloc __deprecated __packed __noreturn __no_kcsan __no_kasan
    __no_sanitize_address __no_sanitize_memory __no_profile __latent_entropy __flatten
    __cacheline_aligned __cacheline_aligned_in_smp ____cacheline_aligned
    ____cacheline_aligned_in_smp __nonstring __private __restrict restrict __extension__
    __lockfunc __cpuidle __irq_entry __entry __ksym __bpf_kfunc __hyp_text __head __vcpu
    __notrace_funcgraph __no_kmsan_checks __no_caller_saved_registers __nocfi __nosave
    """)
ANNOTATION_CALLS = words("""
    __attribute__ __releases __acquires __must_hold __cond_acquires __printf __scanf __section
    __aligned __assume_aligned __alloc_size __counted_by __no_sanitize __acquires_shared
    __releases_shared __guarded_by __diagnose_as __error __warning __no_stack_protector_if
    """)
_WORD = re.compile(r"\b_*[A-Za-z]\w*\b")
_LOOP = re.compile(r"\b(?:\w*for_each\w*|scoped_guard|scoped_cond_guard)(?=\s*\()")
_STRUCT_ARG = re.compile(r"(?<=[,(])(\s*)(struct|enum|union)(\s+\w+\s*)(?=[,)])")
# A type of several words beside a comma, so that it is no cast.
_TYPE = r"(?:struct|enum|union|unsigned|signed|long|const)(?: \w+)+(?:\s*\*)*\s*"
_TYPE_ARG = re.compile(rf"(?<=,)(\s*)({_TYPE})(?=[,)])|(?<=\()(\s*)({_TYPE})(?=,)")
_ASM = re.compile(r"\b(?:asm|__asm__|__asm)\b[\s\w]*\(")
_TYPEOF = re.compile(r"\b(?:typeof|__typeof__|__typeof|typeof_unqual)(?=\s*\()")
_RANGE = re.compile(r"\bcase\b[^;:{}?]*?(\.\.\.)[^;:{}?]*?:")


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def blank_comments(text: str) -> str:
    """``text`` with comments as spaces, odd spaces as spaces, other non-ASCII as ``?``.

    String contents lose what could be taken for code (braces, quotes, hashes).
    """
    text = re.sub(r"[\r\f\v\u00a0\u2007\u202f\ufeff]", " ", text)

    def one(m: re.Match[str]) -> str:
        got = m.group()
        if got[0] == "/":
            return _blank(got)
        if got[0] == "'":
            return got
        return got[0] + re.sub(r"[^\w \n%]", "_", got[1:-1]) + got[-1]

    out = _SKIP.sub(one, text)
    return out if out.isascii() else re.sub(r"[^\x00-\x7f]", "?", out)


def blank_string_bodies(text: str) -> str:
    """``text`` (comments blanked already) with what stands in quotes as spaces."""
    return _SKIP.sub(lambda m: m.group()[0] + _blank(m.group()[1:-1]) + m.group()[-1], text)


def close_of(text: str, at: int) -> int:
    """Offset of the bracket that closes the one at ``at``; -1 where none does."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    start, end = text[at], pairs[text[at]]
    depth = 0
    for m in re.compile(f"[{re.escape(start + end)}]").finditer(text, at):
        depth += 1 if m.group() == start else -1
        if depth == 0:
            return m.start()
    return -1


def blank_annotations(text: str) -> str:
    """``text`` without the words and calls of the two tables above."""
    out: list[str] = []
    last = 0
    for m in _WORD.finditer(text):
        if m.start() < last:
            continue
        end = m.end()
        if m.group() in ANNOTATION_CALLS:
            opens = re.compile(r"\s*\(").match(text, end)
            close = close_of(text, opens.end() - 1) if opens else -1
            end = close + 1 if close >= 0 else end
        elif m.group() not in ANNOTATIONS:
            continue
        out += [text[last : m.start()], _blank(text[m.start() : end])]
        last = end
    return "".join([*out, text[last:]])


def hide_loops(text: str) -> tuple[str, dict[int, str]]:
    """Loop macros as ``while``; also which macro stood at each offset."""
    found: dict[int, str] = {}

    def one(m: re.Match[str]) -> str:
        close = close_of(text, text.index("(", m.end()))
        if close < 0 or text[close + 1 :].lstrip()[:1] in (*";,)", ""):
            return m.group()
        found[m.start()] = m.group()
        return "while".ljust(len(m.group()))

    return _LOOP.sub(one, text), found


def hide_struct_arguments(text: str) -> str:
    """``f(p, struct S, m)`` as ``f(p,        S, m)``: a macro's type argument, as a name.

    Also ``unsigned long`` as one word, and ``offsetof``, which a C parser knows as no function.
    """
    text = _STRUCT_ARG.sub(lambda m: m[1] + " " * len(m[2]) + m[3], text)

    def word(m: re.Match[str]) -> str:
        name = (m[2] or m[4]).rstrip()
        return (m[1] or m[3] or "") + re.sub(r"[ *]", "_", name).ljust(len(m[2] or m[4]))

    text = _TYPE_ARG.sub(word, text)
    return re.sub(r"\boffsetof(?=\s*\()", "offsetOf", text)


def hide_typeof(text: str) -> str:
    """``typeof(x)`` as the name of a type."""
    out: list[str] = []
    last = 0
    for m in _TYPEOF.finditer(text):
        close = close_of(text, text.index("(", m.end()))
        if m.start() >= last and close > 0:
            hidden = _blank(text[m.start() + 8 : close + 1])
            out += [text[last : m.start()], "typeof_t", hidden]
            last = close + 1
    return "".join([*out, text[last:]])


def hide_ranges(text: str) -> str:
    """``case A ... B:`` as ``case A ?:  B:``, which a C parser takes."""

    def one(m: re.Match[str]) -> str:
        at = m.start(1) - m.start()
        return m.group()[:at] + " ?:" + m.group()[at + 3 :]

    return _RANGE.sub(one, text)


def hide_asm(text: str) -> str:
    """What stands in the brackets of inline assembly as one string a line, whatever it is made of:
    macros that give parts of it are no C.
    """
    out: list[str] = []
    last = 0
    for m in _ASM.finditer(text):
        close = close_of(text, m.end() - 1)
        if m.start() < last or close < 0:
            continue
        rows = text[m.end() : close].split("\n")
        out += [text[last : m.end()], "\n".join(map(_as_string, rows))]
        last = close
    return "".join([*out, text[last:]])


def _as_string(row: str) -> str:
    return f'"{re.sub(r"[^ ]", "_", row[1:-1])}"' if len(row) > 1 else " " * len(row)

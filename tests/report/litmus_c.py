"""A strict reader of the litmus tests that we write, and what x86-TSO and SC allow of them.

The grammar is of the C tests in the kernel's tools/memory-model/litmus-tests; herd7 reads more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
HEAD = re.compile(r"C [A-Za-z0-9_+.-]+\n\n\(\*\n(?: \*[^\n]*\n)+ \*\)\n\n")
FIRST = re.compile(rf"\{{\}}\n\n|\{{\n((?:\t{NAME}=\d+;\n)+)\}}\n\n")
THREAD = re.compile(rf"P(\d+)\((int \*{NAME}(?:, int \*{NAME})*)\)\n\{{\n(.*?)\n\}}\n\n", re.DOTALL)
EXISTS = re.compile(rf"exists \(((?:(?:\d+:)?{NAME}=\d+)(?: /\\ (?:\d+:)?{NAME}=\d+)*)\)\n")
STATEMENTS = {
    "register": rf"int ({NAME});",
    "write": rf"WRITE_ONCE\(\*({NAME}), (\d+)\);",
    "release": rf"smp_store_release\(({NAME}), (\d+)\);",
    "read": rf"({NAME}) = READ_ONCE\(\*({NAME})\);",
    "acquire": rf"({NAME}) = smp_load_acquire\(({NAME})\);",
    "xchg": rf"({NAME}) = xchg(?:_relaxed)?\(({NAME}), (\d+)\);",
    "fence": r"smp_(mb|rmb|wmb)\(\);",
}
Op = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """A test that was read.

    :param first: what places hold at the beginning, where it is not 0
    :param exists: (thread, register) or ("", place), and the number asked for
    """

    first: dict[str, int]
    threads: list[list[Op]]
    exists: dict[tuple[str, str], int]


def read(text: str) -> Test:
    """The test; AssertionError where the text is no such test."""
    head = HEAD.match(text)
    assert head, text
    first = FIRST.match(text, head.end())
    assert first, text[head.end() :]
    rows = [row.strip("\t;").split("=") for row in (first[1] or "").splitlines()]
    at, threads = first.end(), []
    while m := THREAD.match(text, at):
        assert int(m[1]) == len(threads)
        threads.append(_thread(m[2], m[3]))
        at = m.end()
    end = EXISTS.fullmatch(text, at)
    assert end, text[at:]
    asked = {}
    for item in end[1].split(" /\\ "):
        left, _, value = item.partition("=")
        thread, _, name = left.rpartition(":")
        assert not thread or ("register", name) in threads[int(thread)]
        asked[thread, name] = int(value)
    return Test({k: int(v) for k, v in rows}, threads, asked)


def _thread(params: str, body: str) -> list[Op]:
    places = {p.removeprefix("int *") for p in params.split(", ")}
    out: list[Op] = []
    for line in filter(None, body.split("\n")):
        text, _, comment = line.removeprefix("\t").partition(" /* ")
        assert line.startswith("\t") and (not comment or comment.endswith(" */")), line
        assert "*/" not in comment[:-2]
        found = [(k, m.groups()) for k, p in STATEMENTS.items() if (m := re.fullmatch(p, text))]
        assert len(found) == 1, line
        kind, args = found[0]
        out.append((kind, *args))
        known = {op[1] for op in out if op[0] == "register"}
        if kind in ("write", "release"):
            assert args[0] in places
        elif kind in ("read", "acquire", "xchg"):
            assert args[0] in known and args[1] in places
    return out


def is_allowed(t: Test, *, buffers: bool) -> bool:
    """Whether some run of the test ends as its clause asks: with x86's store buffers, or without.

    The abstract machine of "x86-TSO", CACM 53(7), 2010, in the plainest way.
    """
    run = [[op for op in ops if op[0] != "register"] for ops in t.threads]
    start = (tuple(sorted(t.first.items())), tuple((0, (), ()) for _ in run))
    seen, todo = {start}, [start]
    while todo:
        memory, cpus = todo.pop()
        nexts = list(_moves(run, dict(memory), cpus, buffers))
        if not nexts and _is_asked(t, dict(memory), cpus):
            return True
        new = [s for s in nexts if s not in seen]
        seen.update(new)
        todo += new
    return False


def _is_asked(t: Test, memory: dict[str, int], cpus) -> bool:  # type: ignore[no-untyped-def]
    got = {(str(k), r): v for k, (_, regs, _) in enumerate(cpus) for r, v in regs}
    got |= {("", x): v for x, v in memory.items()}
    return all(got.get(k, 0) == v for k, v in t.exists.items())


def _moves(run, memory, cpus, buffers):  # type: ignore[no-untyped-def]
    for k, (at, regs, buffer) in enumerate(cpus):

        def go(to, new=memory, here=k):  # type: ignore[no-untyped-def]
            rows = tuple(to if i == here else c for i, c in enumerate(cpus))
            return tuple(sorted(new.items())), rows

        if buffer:
            x, n = buffer[0]
            yield go((at, regs, buffer[1:]), {**memory, x: n})
        if at == len(run[k]):
            continue
        kind, *args = run[k][at]
        held, new = dict(regs), dict(memory)
        if (kind == "xchg" or (kind, *args) == ("fence", "mb")) and buffer:
            continue
        if kind in ("write", "release"):
            if buffers:
                buffer = (*buffer, (args[0], int(args[1])))
            else:
                new[args[0]] = int(args[1])
        elif kind in ("read", "acquire"):
            own = [n for x, n in buffer if x == args[1]]
            held[args[0]] = own[-1] if own else memory.get(args[1], 0)
        elif kind == "xchg":
            held[args[0]], new[args[1]] = memory.get(args[1], 0), int(args[2])
        yield go((at + 1, tuple(sorted(held.items())), buffer), new)

"""The table of states in LLVM IR, and the ring of candidates before it.

The table holds (tag, number of the state + 1); the tag, 32 bits of the hash, says in which line of
eight: a larger table keeps the order. The entries of a line are compared at once and filled from
the first on; the next line comes when it is full. A candidate waits in the ring while its cache
lines come.
"""

from __future__ import annotations

from .expr import Code, signed
from .layout import Layout
from .offsets import INSERT_AFTER, LOOK_AFTER, Offsets
from .pieces import Pieces, define

KEYS = (0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3)
EIGHT_TIMES_32 = f"<{', '.join(['i64 32'] * 8)}>"
ALL_EIGHT = f"<{', '.join(['i1 true'] * 8)}>"


class TableWriter(Pieces):
    """Writes ``@push`` and ``@insert``, and ``@rehash`` for a larger table.

    :param shared: several threads insert into one table
    :param renamed: of states that count as one, the least is kept
    """

    def __init__(self, layout: Layout, at: Offsets, *, shared: bool, renamed: bool) -> None:
        super().__init__(layout, at)
        self.shared, self.renamed = shared, renamed

    def write(self) -> tuple[str, str, str]:
        """The text of each of them, in this order."""
        return self._push(), self._insert(), REHASH

    def _mix(self, c: Code, a: str, b: str) -> str:
        """The high and the low half of the 128-bit product, xored."""
        x, y = c.op(f"zext i64 {a} to i128"), c.op(f"zext i64 {b} to i128")
        p = c.op(f"mul i128 {x}, {y}")
        high = c.op(f"trunc i128 {c.op(f'lshr i128 {p}, 64')} to i64")
        return c.op(f"xor i64 {high}, {c.op(f'trunc i128 {p} to i64')}")

    def _tag(self, c: Code, ptr: str) -> str:
        """32 bits of hash over the words at ``ptr``."""
        n = self.layout.words
        acc = signed(KEYS[3])
        for i in range(0, n, 2):
            a = c.op(f"xor i64 {self.word(c, ptr, i)}, {acc}")
            key = signed(KEYS[(i // 2) % 3])
            b = c.op(f"xor i64 {self.word(c, ptr, i + 1)}, {key}") if i + 1 < n else key
            acc = self._mix(c, a, b)
        last = c.op(f"mul i64 {acc}, {signed(KEYS[1])}")
        return c.op(f"lshr i64 {last}, 32")

    def _line(self, c: Code, tag: str) -> str:
        """The address of the line of the table in which ``tag`` is looked for first."""
        scaled = c.bin("mul", tag, self.get(c, "lines"))
        home = c.bin("lshr", scaled, "32")
        return c.op(f"getelementptr [8 x i64], ptr {self.pointer(c, 'table')}, i64 {home}")

    def _push(self) -> str:
        """The candidate at the ring's head is complete: fetch for it, insert an older one."""
        c = Code()
        c.label("start")
        head = self.get(c, "head")
        slot = self.ring(c, head)
        if self.renamed:
            c.do(f"call void @least(ptr {slot})")
        tag = self._tag(c, slot)
        w = self.layout.words
        c.store(tag, c.op(f"getelementptr i64, ptr {slot}, i64 {w}"))
        c.store(self.get(c, "cur"), c.op(f"getelementptr i64, ptr {slot}, i64 {w + 1}"))
        c.do(f"call void @llvm.prefetch.p0(ptr {self._line(c, tag)}, i32 0, i32 3, i32 1)")
        self.set(c, "head", c.op(f"add i64 {head}, 1"))
        waiting = c.op(f"sub i64 {head}, {self.get(c, 'tail')}")
        c.do(f"br i1 {c.op(f'icmp uge i64 {waiting}, {LOOK_AFTER}')}, label %look, label %out")
        c.label("look")
        older = self.ring(c, c.op(f"sub i64 {head}, {LOOK_AFTER}"))
        self._look(c, older)
        c.label("looked")
        c.do(f"br i1 {c.op(f'icmp uge i64 {waiting}, {INSERT_AFTER}')}, label %in, label %out")
        c.label("in")
        c.do("call void @insert(ptr %ctx)")
        c.do("br label %out")
        c.label("out")
        c.do("ret void")
        return define("void @push(ptr %ctx)", c, "alwaysinline")

    def _look(self, c: Code, slot: str) -> None:
        """Fetch the state that the table has under this tag."""
        tag = self.word(c, slot, self.layout.words)
        line = self._line(c, tag)
        same, _ = self._among(c, line, tag)
        c.do(f"br i1 {c.op(f'icmp eq i64 {same}, 0')}, label %looked, label %fetch")
        c.label("fetch")
        spot = c.op(f"call i64 @llvm.cttz.i64(i64 {same}, i1 true)")
        e = c.load(c.op(f"getelementptr i64, ptr {line}, i64 {spot}"))
        number = c.op(f"sub i64 {c.op(f'and i64 {e}, 4294967295')}, 1")
        c.do(f"call void @llvm.prefetch.p0(ptr {self.state(c, number)}, i32 0, i32 3, i32 1)")
        c.do("br label %looked")

    def _among(self, c: Code, line: str, tag: str) -> tuple[str, str]:
        """A bit for each entry of a line that has the tag, and for each that is free.

        The eight are read at once and, with several threads, not as one: a free one may be taken by
        now. Who takes it or compares it looks again; entries never change once they are there.
        """
        have = c.op(f"load volatile <8 x i64>, ptr {line}, align 64")
        high = c.op(f"lshr <8 x i64> {have}, {EIGHT_TIMES_32}")
        one = c.op(f"insertelement <8 x i64> poison, i64 {tag}, i64 0")
        tags = c.op(f"shufflevector <8 x i64> {one}, <8 x i64> poison, <8 x i32> zeroinitializer")
        free = c.op(f"icmp eq <8 x i64> {have}, zeroinitializer")
        same = c.op(f"icmp eq <8 x i64> {high}, {tags}")
        taken = c.op(f"and <8 x i1> {same}, {c.op(f'xor <8 x i1> {free}, {ALL_EIGHT}')}")
        bits = [c.op(f"bitcast <8 x i1> {x} to i8") for x in (taken, free)]
        first, second = (c.op(f"zext i8 {b} to i64") for b in bits)
        return first, second

    def _insert(self) -> str:
        """Insert the candidate at the tail of the ring, unless the table has it."""
        c, w = Code(), self.layout.words
        c.label("start")
        slot = self.ring(c, self.bump(c, "tail"))
        words = [self.word(c, slot, i) for i in range(w)]
        tag = self.word(c, slot, w)
        first = self._line(c, tag)
        c.do("br label %probe")
        c.label("probe")
        c.do(f"%line = phi ptr [{first}, %start], [%beyond, %over]")
        c.do("br label %look")
        c.label("look")
        same, free = self._among(c, "%line", tag)
        c.do("br label %match")
        c.label("match")
        c.do(f"%left = phi i64 [{same}, %look], [%rest, %differs]")
        c.do(f"br i1 {c.op('icmp eq i64 %left, 0')}, label %none, label %compare")
        c.label("compare")
        k = c.op("call i64 @llvm.cttz.i64(i64 %left, i1 true)")
        p = c.op(f"getelementptr i64, ptr %line, i64 {k}")
        if self.shared:
            e = c.op(f"load atomic i64, ptr {p} acquire, align 8")
        else:
            e = c.load(p)
        old = self.state(c, c.op(f"sub i64 {c.op(f'and i64 {e}, 4294967295')}, 1"))
        off = "0"
        for i in range(w):
            off = c.bin("or", off, c.op(f"xor i64 {self.word(c, old, i)}, {words[i]}"))
        c.do(f"br i1 {c.op(f'icmp eq i64 {off}, 0')}, label %out, label %differs")
        c.label("differs")
        c.do(f"%rest = and i64 %left, {c.op('sub i64 %left, 1')}")
        c.do("br label %match")
        c.label("none")
        c.do(f"br i1 {c.op(f'icmp eq i64 {free}, 0')}, label %over, label %new")
        c.label("over")
        c.do("%beyond = getelementptr i64, ptr %line, i64 8")
        c.do("br label %probe")
        c.label("new")
        spot = c.op(f"call i64 @llvm.cttz.i64(i64 {free}, i1 true)")
        c.do(f"%at = getelementptr i64, ptr %line, i64 {spot}")
        number = self.get(c, "next")
        self._append(c, number, words, slot)
        plus = c.op(f"add i64 {number}, 1")
        entry = c.op(f"or i64 {c.op(f'shl i64 {tag}, 32')}, {plus}")
        if self.shared:
            pair = c.op(f"cmpxchg ptr %at, i64 0, i64 {entry} acq_rel acquire")
            won = c.op(f"extractvalue {{ i64, i1 }} {pair}, 1")
            c.do(f"br i1 {won}, label %done, label %look")
            c.label("done")
        else:
            c.store(entry, "%at")
        self.set(c, "next", plus)
        c.do("br label %out")
        c.label("out")
        c.do("ret void")
        return define("void @insert(ptr %ctx)", c, "noinline")

    def _append(self, c: Code, number: str, words: list[str], slot: str) -> None:
        """Write the candidate in ``slot`` and its parent as state ``number``."""
        mine = self.state(c, number)
        for i, word in enumerate(words):
            c.store(word, c.op(f"getelementptr i64, ptr {mine}, i64 {i}"))
        p = c.op(f"getelementptr i32, ptr {self.pointer(c, 'parents')}, i64 {number}")
        parent = self.word(c, slot, self.layout.words + 1)
        c.do(f"store i32 {c.op(f'trunc i64 {parent} to i32')}, ptr {p}")


DECLARE = """
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
declare i64 @llvm.cttz.i64(i64, i1)
"""

REHASH = """
define void @rehash(ptr %table, ptr %block, i64 %count, i64 %lines, ptr %filled) nounwind {
start:
  br label %next
next:
  %i = phi i64 [0, %start], [%j, %one], [%j, %put]
  %more = icmp ult i64 %i, %count
  br i1 %more, label %one, label %out
one:
  %p = getelementptr i64, ptr %block, i64 %i
  %e = load i64, ptr %p
  %j = add i64 %i, 1
  %empty = icmp eq i64 %e, 0
  br i1 %empty, label %next, label %find
find:
  %tag = lshr i64 %e, 32
  %scaled = mul i64 %tag, %lines
  %home = lshr i64 %scaled, 32
  br label %probe
probe:
  %line = phi i64 [%home, %find], [%beyond, %probe]
  %q = getelementptr i8, ptr %filled, i64 %line
  %n = load i8, ptr %q
  %full = icmp eq i8 %n, 8
  %beyond = add i64 %line, 1
  br i1 %full, label %probe, label %put
put:
  %n1 = add i8 %n, 1
  store i8 %n1, ptr %q
  %spot = zext i8 %n to i64
  %at = getelementptr [8 x i64], ptr %table, i64 %line, i64 %spot
  store i64 %e, ptr %at
  br label %next
out:
  ret void
}
"""

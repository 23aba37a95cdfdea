"""A builder for one function: blocks, temporaries, labels."""

from __future__ import annotations

from ..base.source import Span
from . import ops as o
from .types import Type


class FnBuilder:
    """Collects the operations of one function; ``finish`` gives the Function."""

    def __init__(self, name: str, params: tuple[tuple[str, Type], ...], ret: Type) -> None:
        self.name, self.params, self.ret = name, params, ret
        self.types: dict[str, Type] = dict(params)
        self._locals: list[tuple[str, Type]] = []
        self._blocks: list[tuple[str, list[o.Op]]] = []
        self._labels = 0
        self._temps = 0
        self.start(self.new_label())

    def new_label(self) -> str:
        """A label not used before."""
        self._labels += 1
        return f"L{self._labels - 1}"

    def start(self, label: str) -> None:
        """Begin the block ``label``; falls through from an open block."""
        if self._blocks and self.is_open:
            self.emit(o.Jump(label))
        self._blocks.append((label, []))

    @property
    def is_open(self) -> bool:
        """True where the current block has no terminator yet."""
        body = self._blocks[-1][1]
        return not body or not isinstance(body[-1], o.TERMINATORS)

    def emit(self, op: o.Op) -> None:
        """Append ``op``; code after a terminator goes to a block that nothing reaches."""
        if not self.is_open:
            self._blocks.append((self.new_label(), []))
        self._blocks[-1][1].append(op)

    def mark(self) -> tuple[int, int]:
        """Where the function stands now; `back` returns to it."""
        return len(self._blocks), len(self._blocks[-1][1])

    def back(self, mark: tuple[int, int]) -> None:
        """Forget every operation since ``mark``; locals and label numbers stay."""
        blocks, ops = mark
        del self._blocks[blocks:]
        del self._blocks[-1][1][ops:]

    def local(self, name: str, t: Type) -> o.Local:
        """Declare local ``name``; a second declaration keeps the first type."""
        if name not in self.types:
            self.types[name] = t
            self._locals.append((name, t))
        return o.Local(name)

    def temp(self, t: Type) -> o.Local:
        """A new temporary, named ``.n`` so that no source name can meet it."""
        self._temps += 1
        return self.local(f".{self._temps}", t)

    def finish(self, span: Span, attrs: tuple[str, ...], origin: str, doc: str) -> o.Function:
        """The function, without blocks that nothing reaches; open ends return."""
        if self.is_open:
            void = str(self.ret) == "void"
            self.emit(o.Return(None if void else o.Const(0), span))
        by_label = dict(self._blocks)
        seen: set[str] = set()
        todo = [self._blocks[0][0]]
        while todo:
            label = todo.pop()
            if label in seen:
                continue
            seen.add(label)
            last = by_label[label][-1]
            if isinstance(last, o.Branch):
                todo += [last.then, last.other]
            elif isinstance(last, o.Jump):
                todo.append(last.to)
        blocks = [(lab, body) for lab, body in self._blocks if lab in seen]
        name_of = {lab: f"L{i}" for i, (lab, _) in enumerate(blocks)}
        return o.Function(
            self.name,
            self.params,
            self.ret,
            tuple(self._locals),
            tuple(
                o.Block(name_of[lab], tuple(_rename(op, name_of) for op in b)) for lab, b in blocks
            ),
            tuple(sorted(attrs)),
            origin,
            span,
            doc,
        )


def _rename(op: o.Op, name_of: dict[str, str]) -> o.Op:
    if isinstance(op, o.Branch):
        return o.Branch(op.cond, name_of[op.then], name_of[op.other], op.span)
    if isinstance(op, o.Jump):
        return o.Jump(name_of[op.to], op.span)
    return op

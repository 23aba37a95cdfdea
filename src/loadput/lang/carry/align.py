"""Two trees laid beside each other: the ordered mapping of least cost between their nodes.

This is the tree edit distance of Zhang and Shasha ("Simple fast algorithms for the editing distance
between trees and related problems", SIAM J. Comput. 18(6), 1989). A node without a partner is left
out and what stands under it moves up, so a test that one side does not have hides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...base.clock import look
from .nodes import Node

Cost = Callable[[Node, Node], float | None]
Pairs = list[tuple[Node, Node]]


def overlap(a: Node, b: Node) -> float:
    """How much two nodes have in common, by weight."""
    small, large = (a.feats, b.feats) if len(a.feats) < len(b.feats) else (b.feats, a.feats)
    return sum(min(w, large[f]) for f, w in small.items() if f in large)


def pair_cost(a: Node, b: Node) -> float | None:
    """What it costs to take ``a`` and ``b`` for the same; None where they cannot be."""
    if a.kind == b.kind == "root":
        return 0.0
    if not _same_kind(a, b):
        return None
    if a.kind in ("leaf", "ret"):
        ea, eb = a.effects, b.effects
        if (ea or eb) and not ea & eb:
            return None
        asks_a, asks_b = _requests(a), _requests(b)
        if (asks_a or asks_b) and not asks_a & asks_b:
            return None
    common = overlap(a, b)
    if common <= 0.25 and a.kind not in ("if", "then", "else", "loop"):
        return None
    return a.weight + b.weight - 2 * common - 0.05


def _same_kind(a: Node, b: Node) -> bool:
    if a.kind == b.kind:
        return True
    return {a.kind, b.kind} == {"leaf", "ret"} and bool(a.effects & b.effects)


def _requests(n: Node) -> frozenset[str]:
    return frozenset(f for f in n.feats if f.startswith("r:KVM_REQ_"))


class _Forest:
    """A tree in post-order: for each node its leftmost leaf, and the roots to begin from."""

    def __init__(self, kids: Sequence[Node]) -> None:
        self.nodes: list[Node] = []
        self.left: list[int] = []
        top = Node("root", None, {}, "", list(kids))
        self._number(top)
        last = {low: i for i, low in enumerate(self.left)}
        self.roots = sorted(last.values())

    def _number(self, n: Node) -> int:
        first = -1
        for k in n.kids:
            low = self._number(k)
            first = low if first < 0 else first
        first = first if first >= 0 else len(self.nodes)
        self.nodes.append(n)
        self.left.append(first)
        return first


def align(a: Sequence[Node], b: Sequence[Node], cost: Cost = pair_cost) -> Pairs:
    """The pairs of the cheapest mapping of forest ``a`` to forest ``b``, in order."""
    return _Alignment(_Forest(a), _Forest(b), cost).pairs()


class _Alignment:
    def __init__(self, a: _Forest, b: _Forest, cost: Cost) -> None:
        self.a, self.b = a, b
        na, nb = len(a.nodes), len(b.nodes)
        self.out = [n.weight for n in a.nodes]
        self.into = [n.weight for n in b.nodes]
        top = (na - 1, nb - 1)
        self.pair = [
            [0.0 if (i, j) == top else cost(a.nodes[i], b.nodes[j]) for j in range(nb)]
            for i in range(na)
        ]
        self.tree = [[0.0] * nb for _ in range(na)]
        for i in a.roots:
            for j in b.roots:
                self.forest(i, j)

    def forest(self, i: int, j: int) -> list[list[float]]:
        """Fill the distances of all subtrees that end a forest of the trees at ``i`` and ``j``."""
        look()
        la, lb = self.a.left[i], self.b.left[j]
        rows, cols = i - la + 2, j - lb + 2
        d = [[0.0] * cols for _ in range(rows)]
        for x in range(1, rows):
            d[x][0] = d[x - 1][0] + self.out[la + x - 1]
        for y in range(1, cols):
            d[0][y] = d[0][y - 1] + self.into[lb + y - 1]
        left_a, left_b = self.a.left, self.b.left
        for x in range(1, rows):
            ax = la + x - 1
            above, here, gone, low_a = d[x - 1], d[x], self.out[ax], left_a[ax]
            pairs, trees = self.pair[ax], self.tree[ax]
            for y in range(1, cols):
                by = lb + y - 1
                best = above[y] + gone
                other = here[y - 1] + self.into[by]
                best = other if other < best else best
                if low_a == la and left_b[by] == lb:
                    p = pairs[by]
                    if p is not None and above[y - 1] + p < best:
                        best = above[y - 1] + p
                    trees[by] = best
                else:
                    other = d[low_a - la][left_b[by] - lb] + trees[by]
                    best = other if other < best else best
                here[y] = best
        return d

    def pairs(self) -> Pairs:
        found: list[tuple[int, int]] = []
        todo = [(len(self.a.nodes) - 1, len(self.b.nodes) - 1)]
        while todo:
            i, j = todo.pop()
            la, lb = self.a.left[i], self.b.left[j]
            d = self.forest(i, j)
            x, y = i - la + 1, j - lb + 1
            while x > 0 and y > 0:
                ax, by = la + x - 1, lb + y - 1
                if _near(d[x][y], d[x - 1][y] + self.out[ax]):
                    x -= 1
                elif _near(d[x][y], d[x][y - 1] + self.into[by]):
                    y -= 1
                elif self.a.left[ax] == la and self.b.left[by] == lb:
                    found.append((ax, by))
                    x, y = x - 1, y - 1
                else:
                    todo.append((ax, by))
                    x, y = self.a.left[ax] - la, self.b.left[by] - lb
        tops = (len(self.a.nodes) - 1, len(self.b.nodes) - 1)
        rest = [p for p in sorted(set(found)) if p != tops]
        return [(self.a.nodes[i], self.b.nodes[j]) for i, j in rest]


def _near(a: float, b: float) -> bool:
    return abs(a - b) < 1e-9

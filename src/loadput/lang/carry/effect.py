"""Whether C does anything to what the program models: the question that decides what is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...ir import types as ty
from ...ir.decls import Decls
from .. import syntax as s
from ..guess import Guess, bare, walk
from ..infer import COUNTING, PLACES, WRITERS
from ..opaque import SLEEPS
from ..vocab import INTRINSICS, WARNS
from .laid import LEAVES
from .nodes import is_silent, local_names

_QUIET = frozenset(
    (
        *("READ_ONCE", "smp_load_acquire", "rcu_dereference", "data_race", "likely", "unlikely"),
        *(
            "per_cpu",
            "per_cpu_ptr",
            "this_cpu_ptr",
            "raw_cpu_ptr",
            "container_of",
            "BIT",
            "BIT_ULL",
        ),
        *("smp_processor_id", "raw_smp_processor_id", "__smp_processor_id", "irqs_disabled"),
        *("preempt_count", "in_hardirq", "__unsigned", "__pointer_cast", "min", "max", "__count"),
        *("test_bit", "__vcpu_at", "__vcpu_is_of", "this_cpu", "rcu_access_pointer"),
        *("barrier", "might_sleep", "lockdep_assert_irqs_disabled", "swap"),
    )
)


class Effects:
    """What statements do in the terms of a program's declarations.

    :param defs: its functions: a call of one that only gives a value does nothing
    """

    def __init__(self, decls: Decls, defs: Mapping[str, s.Def]) -> None:
        self.decls, self.defs = decls, defs
        self._asks: dict[str, bool] = {}

    def __call__(self, d: s.Def, body: Sequence[s.Stmt]) -> str:
        """A word for what ``body``, put into ``d``, does to what is modelled; "" for nothing."""
        env = self._types(d, body)
        guess = Guess(self.decls, env)
        own = {n.name for st in body for n in (st, *walk(st)) if isinstance(n, s.Declare)}
        local = local_names(d) - set(self.decls.globals) - own
        for st in body:
            for n in (st, *walk(st)):
                what = self._one(n, guess, local)
                if what:
                    return what
        return ""

    def asks(self, d: s.Def) -> bool:
        """Whether ``d`` does nothing that is modelled but give a value."""
        guess = Guess(self.decls, self._types(d, d.body))
        parts = [n for n in walk(d.body) if not isinstance(n, LEAVES)]
        return not any(self._one(n, guess, set()) for n in parts)

    def _only_asks(self, fn: str) -> bool:
        """Whether a function of the program does nothing but give a value."""
        if fn not in self._asks:
            d = self.defs.get(fn)
            self._asks[fn] = False  # what calls itself is no question
            self._asks[fn] = d is not None and self.decls.funcs[fn].ret != ty.VOID and self.asks(d)
        return self._asks[fn]

    def _types(self, d: s.Def, body: Sequence[s.Stmt]) -> dict[str, ty.Type]:
        env: dict[str, ty.Type] = dict(d.params)
        guess = Guess(self.decls, env)
        for n in walk((*d.body, *body)):
            t = None
            if isinstance(n, s.Declare):
                name = n.name
                t = n.type or (guess.type(n.init) if n.init is not None else None)
            elif isinstance(n, s.AssignE) and isinstance(n.lhs, s.Name):
                name = n.lhs.id
                t = guess.type(n.rhs)
            else:
                continue
            if name in self.decls.globals or name in env:
                continue
            if t is not None and not (isinstance(t, ty.Ptr) and t.struct not in self.decls.structs):
                env[name] = t
        return env

    def _one(self, n: s.Expr | s.Stmt, guess: Guess, local: set[str]) -> str:
        if isinstance(n, LEAVES):
            return "leaves"
        if isinstance(n, s.AssignE | s.PostInc):
            return self._write(n.lhs, guess, local)
        if isinstance(n, s.Invoke):
            return self._call(n, guess, local)
        return ""

    def _write(self, place: s.Expr, guess: Guess, local: set[str]) -> str:
        if isinstance(place, s.Name) and place.id in guess.env:
            return f"sets {place.id}" if place.id in local else ""
        return "" if guess.opaque(place) or guess.type(place) is None else "writes"

    def _call(self, n: s.Invoke, guess: Guess, local: set[str]) -> str:
        if is_silent(n):
            return ""
        sig = self.decls.funcs.get(n.fn)
        if sig is not None:
            asked = [
                a
                for a, (name, _) in zip(n.args, sig.params, strict=False)
                if name == "req" and isinstance(a, s.Name)
            ]
            unknown = any(guess.opaque(a) for a in asked)
            return "" if unknown or self._only_asks(n.fn) else f"calls {n.fn}()"
        if n.fn in PLACES:
            writes = n.fn in WRITERS or (n.fn in COUNTING and not n.fn.endswith("test_bit"))
            at = PLACES[n.fn]
            return (
                self._write(bare(n.args[at]), guess, local) if writes and at < len(n.args) else ""
            )
        if n.fn in WARNS and n.args and not _speaks(n.args[0], guess):
            return ""
        if n.fn in INTRINSICS and n.fn not in _QUIET:
            return f"calls {n.fn}()"
        return f"{n.fn}() sleeps" if SLEEPS.match(n.fn) else ""


def _speaks(e: s.Expr, guess: Guess) -> bool:
    """Whether ``e`` asks for anything that has a value here, beside where something is."""
    if isinstance(e, s.Num):
        return True
    if isinstance(e, s.Foreign):
        return _speaks(e.inner, guess)
    if isinstance(e, s.Unary) and e.op in "!-~":
        return _speaks(e.a, guess)
    if isinstance(e, s.Binary):
        return _speaks(e.a, guess) or (_speaks(e.b, guess) and not isinstance(e.b, s.Num))
    if isinstance(e, s.Invoke) and e.fn not in guess.decls.funcs and e.fn not in INTRINSICS:
        return False
    return not guess.opaque(e)

"""Locks that end with their scope, written out: `guard(x)(…)`, `scoped_guard(x, …) { … }`.

Source: include/linux/cleanup.h and the DEFINE_GUARD and DEFINE_LOCK_GUARD lines of
include/linux/preempt.h, irqflags.h, spinlock.h, mutex.h, rcupdate.h. Every way out of the scope
unlocks: its end, a return, and a goto to a label that stands outside.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from ...base.source import Span
from .. import syntax as s

FLAGS = "guard.flags"
# Per class: what its constructor calls, and its destructor; FLAGS is a local of its own.
_PLAIN = {
    "preempt": ("preempt_disable", "preempt_enable"),
    "preempt_notrace": ("preempt_disable", "preempt_enable"),
    "irq": ("local_irq_disable", "local_irq_enable"),
    "migrate": ("migrate_disable", "migrate_enable"),
    "cpus_read_lock": ("cpus_read_lock", "cpus_read_unlock"),
}
_LOCKS = {
    "mutex": ("mutex_lock", "mutex_unlock"),
    "rcu": ("rcu_read_lock", "rcu_read_unlock"),
    "rwsem_read": ("down_read", "up_read"),
    "rwsem_write": ("down_write", "up_write"),
    "srcu": ("srcu_read_lock", "srcu_read_unlock"),
}
_SPINS = (
    ("raw_spinlock", "raw_spin"),
    ("spinlock", "spin"),
    *((f"{way}_lock", way) for way in ("read", "write")),
)
_SPIN = {"": ("", ""), "_irq": ("_irq", "_irq"), "_irqsave": ("_irqsave", "_irqrestore")}


def guard_calls(kind: str, args: tuple[s.Expr, ...], sp: Span) -> tuple[s.Stmt, s.Stmt]:
    """What the guard of class ``kind`` does where its scope begins, and where it ends."""
    flags = (s.Name(FLAGS, sp),)
    if kind == "irqsave":
        return _call("local_irq_save", flags, sp), _call("local_irq_restore", flags, sp)
    if kind in _PLAIN:
        lock, unlock = _PLAIN[kind]
        return _call(lock, (), sp), _call(unlock, (), sp)
    if kind in _LOCKS:
        lock, unlock = _LOCKS[kind]
        return _call(lock, args, sp), _call(unlock, args, sp)
    for word, name in _SPINS:
        tail = kind.removeprefix(word)
        if kind.startswith(word) and tail in _SPIN:
            on, off = _SPIN[tail]
            held = (*args, *flags) if tail == "_irqsave" else args
            return (
                _call(f"{name}_lock{on}", held, sp),
                _call(f"{name}_unlock{off}", held, sp),
            )
    return _call(f"guard_{kind}", args, sp), _call(f"unguard_{kind}", args, sp)


def _call(fn: str, args: tuple[s.Expr, ...], sp: Span) -> s.Stmt:
    return s.ExprStmt(s.Invoke(fn, args, sp), sp)


def guarded(
    lock: s.Stmt, unlock: s.Stmt, body: Sequence[s.Stmt], fresh: Callable[[], str]
) -> tuple[s.Stmt, ...]:
    """``body`` between the two calls, with the second one on every way out.

    :param fresh: a name for a local that nothing else uses
    """
    inside = {st.label for st in _flat(body) if isinstance(st, s.LabelStmt)}

    def out(st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.ReturnStmt):
            return _return(st, unlock, fresh)
        if isinstance(st, s.Goto) and st.label not in inside:
            return s.Group((unlock, st), st.span)
        return _inside(st, out)

    new = tuple(out(st) for st in body)
    return (lock, *new) if _leaves(body) else (lock, *new, unlock)


def _leaves(body: Sequence[s.Stmt]) -> bool:
    """Whether nothing gets to the end of ``body``: what follows a way out has no label."""
    for st in reversed(body):
        if isinstance(st, s.ReturnStmt | s.Goto):
            return True
        if isinstance(st, s.Group) and _leaves(st.body):
            return True
        if any(isinstance(x, s.LabelStmt) for x in _flat((st,))):
            return False
    return False


def _return(st: s.ReturnStmt, unlock: s.Stmt, fresh: Callable[[], str]) -> s.Stmt:
    if st.value is None or isinstance(st.value, s.Name | s.Num):
        return s.Group((unlock, st), st.span)
    keep = s.Name(fresh(), st.span)
    value = s.ExprStmt(s.AssignE(keep, "", st.value, st.span), st.span)
    return s.Group((value, unlock, s.ReturnStmt(keep, st.span)), st.span)


def _inside(st: s.Stmt, fn: Callable[[s.Stmt], s.Stmt]) -> s.Stmt:
    """``st`` with the statements in it replaced."""
    if isinstance(st, s.If):
        then, other = (tuple(fn(x) for x in part) for part in (st.then, st.other))
        return dataclasses.replace(st, then=then, other=other)
    if isinstance(st, s.While | s.For | s.Group):
        return dataclasses.replace(st, body=tuple(fn(x) for x in st.body))
    if isinstance(st, s.Switch):
        cases = tuple((v, tuple(fn(x) for x in body)) for v, body in st.cases)
        return dataclasses.replace(st, cases=cases)
    return st


def _flat(body: Sequence[s.Stmt]) -> list[s.Stmt]:
    out: list[s.Stmt] = []

    def see(st: s.Stmt) -> s.Stmt:
        out.append(st)
        return _inside(st, see)

    for st in body:
        see(st)
    return out

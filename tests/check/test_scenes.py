"""Which scenarios a change is asked in: one in which what it tests can be otherwise."""

from __future__ import annotations

from dataclasses import replace

from loadput.check.scenes import scenes_for, switches, switches_beyond, switches_of_state
from loadput.lang.carry import Carried
from loadput.lang.guess import walk
from loadput.lang.syntax import Def, If, Stmt, Unary
from loadput.link.program import Choice, specification

VMX = Choice("vmx", release="v7.3")


def negated(d: Def, calls: str) -> Def:
    """``d`` with the test that calls so negated."""

    def one(st: Stmt) -> Stmt:
        if not isinstance(st, If):
            return st
        st = replace(st, then=tuple(map(one, st.then)), other=tuple(map(one, st.other)))
        named = any(getattr(x, "fn", "") == calls for x in walk(st.cond))
        return replace(st, cond=Unary("!", st.cond, st.cond.span)) if named else st

    return replace(d, body=tuple(map(one, d.body)))


def test_a_flag_is_tested_where_it_is_set() -> None:
    """SN is set only where a device is assigned: in no scenario that posts by software alone."""
    load = specification(VMX)[0]["vmx_vcpu_pi_load"]
    edited = [Carried(load, negated(load, "pi_test_and_clear_sn"))]
    assert edited[0].diff()
    assert "vtd_posting" in switches_of_state(VMX, edited)
    names = [load.name]
    assert "vtd_posting" not in switches(VMX, names) | switches_beyond(VMX, names)


def test_what_one_vcpu_leaves_is_asked_of_two_on_two_cpus() -> None:
    """Of a scenario with one CPU alone, an ASID of another CPU would be nobody's."""
    svm = Choice("svm", release="v7.3")
    run = specification(svm)[0]["pre_svm_run"]
    edited = [Carried(run, replace(run, body=run.body[:-1]))]
    found, _ = scenes_for(svm, replace(svm, user=(edited[0].new,)), edited)
    assert [s.name for s in found][:2] == ["flush", "asids"]

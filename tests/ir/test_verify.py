"""verify() refuses what is not well formed, and says what it expected."""

from __future__ import annotations

import dataclasses

import pytest

from loadput.base.errors import IRError
from loadput.ir import ops as o
from loadput.ir import types as ty
from loadput.ir.decls import Decls, StructDecl, VarDecl
from loadput.ir.spec import verify
from loadput.ir.text import parse_function, render_function

GOOD = """fn f(%v: ptr[kvm_vcpu]) -> bool from mainline
  local %x: bool
  L0:
    atomic {
    %x = load.plain kvm_vcpu.ready[%v]
    atomic }
    br %x L1 L2
  L1:
    store.once kvm_vcpu.ready[%v] = 0
    jmp L2
  L2:
    ret %x
"""
BROKEN = [  # (in the good text, instead, what is said)
    ("  L2:", "  L1:", "labels"),
    ("jmp L2", "jmp L9", "jump to ['L9']"),
    ("br %x L1 L2", "br %x L1 L7", "jump to ['L7']"),
    ("    ret %x\n", "    assume %x\n", "no terminator"),
    ("    jmp L2", "    ret %x\n    jmp L2", "terminator inside"),
    ("  local %x: bool\n", "", "undeclared local %x"),
    ("ret %x", "ret %y", "undeclared local %y"),
    ("ret %x", "ret @moon", "unknown leaf @moon"),
    ("ret %x", "ret", "return does not fit"),
    ("    atomic }\n", "", "atomic"),
    ("    atomic {\n", "", "unbalanced atomic"),
    ("    jmp L2", "    atomic {\n    jmp L2", "atomic region differs by path"),
    ("jmp L2", "ctl fly\n    jmp L2", "unknown ctl fly"),
    ("kvm_vcpu.ready[%v] = 0", "kvm_vcpu.stolen[%v] = 0", "no such place kvm_vcpu.stolen"),
    ("kvm_vcpu.ready[%v] = 0", "moon = 0", "no such place moon"),
    ("kvm_vcpu.ready[%v] = 0", "kvm_vcpu.ready = 0", "index of kvm_vcpu.ready"),
    ("kvm_vcpu.ready[%v] = 0", "flag[%v] = 0", "index of flag"),
]


def decls() -> Decls:
    ready = {"ready": VarDecl("ready", ty.BOOL)}
    flag = {"flag": VarDecl("flag", ty.BOOL)}
    return Decls({"kvm_vcpu": StructDecl("kvm_vcpu", "vcpu", ready)}, flag)


def test_the_good_one_is_good() -> None:
    fn = parse_function(GOOD)
    verify(fn, decls())
    assert render_function(fn, spans=False) == GOOD


@pytest.mark.parametrize(("old", "new", "said"), BROKEN, ids=[b[2] for b in BROKEN])
def test_broken_ir_is_refused(old: str, new: str, said: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(IRError) as e:
        verify(parse_function(GOOD.replace(old, new)), decls())
    assert said in e.value.what and e.value.code == "LP0302"
    assert e.value.expected and "function f" in (e.value.where or "")


def test_an_operator_that_is_none_is_refused() -> None:
    fn = parse_function(GOOD)
    for bad in (o.Un("sqrt", o.Const(1)), o.Bin("spaceship", o.Const(1), o.Const(2))):
        last = dataclasses.replace(fn.blocks[-1], ops=(o.Return(bad),))
        with pytest.raises(IRError, match="unknown operator"):
            verify(dataclasses.replace(fn, blocks=(*fn.blocks[:-1], last)))

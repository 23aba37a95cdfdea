"""From a machine to machine code: text, optimiser, compiler; and what was compiled is kept.

Machine code is found by its text, how it is optimised, the version of LLVM and the processor: it
does not depend on what is asked. `base/kept.py` says who may use what is kept.
"""

from __future__ import annotations

import ctypes
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ...base import clock
from ...base.kept import Shelf, cache_folder, digest
from ...machine.model import Machine
from ...machine.nodes import BEGINS
from ..reduce import Plan
from .cover import Cover
from .expr import Ranges
from .layout import Layout, make_layout
from .loop import LoopWriter
from .offsets import Offsets
from .shape import make_shape
from .step import StepWriter, write_conditions

SMALL = 12_000
"""Lines of IR up to which the optimiser's whole O2 is worth its time."""
CODE = "code"
"""The shelf of machine code."""
WHOLE, SOME, LEAST = "whole", "some", "least"
INSERT = re.compile(r"define [^\n]*@insert\(.*?\n}\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entries:
    """The machine code's entry points; ``keep`` must live as long."""

    work: Callable[[int], None]
    seed: Callable[[int, int], None]
    rehash: Callable[[int, int, int, int, int], None]
    keep: tuple[Any, ...]


@dataclass(slots=True)
class Native:
    """A compiled machine: code that is there at once, and better code when `improve` made it.

    :param code: the best there is; what was before stays in ``past``, as it may be running
    :param entries: the node of each entry, by its number
    :param seconds: what took how long
    """

    machine: Machine
    layout: Layout
    at: Offsets
    cover: Cover
    entries: list[int]
    step: str
    loop: str
    code: Entries
    seconds: dict[str, float]
    improved: bool = False
    past: list[Entries] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """Lines of IR of the step, which the time to compile it goes with."""
        return self.step.count("\n")

    def improve(self) -> None:
        """Compile again, with optimisation; may run beside a search, which then goes faster."""
        t = time.perf_counter()
        better = _compile(self.step, self.loop, fast=False)
        self.past.append(self.code)
        self.code, self.improved = better, True
        self.seconds["improve"] = time.perf_counter() - t


Text = tuple[str, str, StepWriter]


def write_text(m: Machine, *, shared: bool, plan: Plan | None = None) -> Text:
    """The IR of the successor function and of the search loop, and how to read their results."""
    shape = make_shape(m)
    layout = make_layout(m, shape)
    entries = [n for k in BEGINS for n in shape.entries[k]]
    writer = StepWriter(shape, layout, Ranges(m, shape), entries)
    step = writer.write("step", entries)
    more, conditions = write_conditions(writer)
    loop = LoopWriter(
        shape, layout, writer.at, conditions, shared=shared, plan=plan or Plan()
    ).write()
    return step + more, loop, writer


def text_key(m: Machine, text: Text) -> str:
    """A name for the machine: equal ones are equal step by step, and ask the same properties.

    It is the same for one thread as for several, which insert a state in another way.
    """
    step, loop, writer = text
    loop = INSERT.sub("", loop)
    rest = repr((writer.entries, m.props, m.initial, [s.name for s in m.slots]))
    return hashlib.sha256("\0".join((step, loop, rest)).encode()).hexdigest()


def compile_machine(
    m: Machine, *, shared: bool, plan: Plan | None = None, text: Text | None = None
) -> Native:
    """Return machine code of ``m``, made fast; ``improve`` makes fast code of it.

    :param shared: for more than one thread
    :param plan: what the search leaves out
    :param text: what `write_text` gave for these
    Raises LayoutError LP060x where a state or a value does not fit.
    """
    t0 = time.perf_counter()
    step, loop, w = text or write_text(m, shared=shared, plan=plan)
    t1 = time.perf_counter()
    best = _kept(step, loop)
    code = best or clock.within(lambda: _compile(step, loop, fast=True))
    seconds = {"write": t1 - t0, "compile": time.perf_counter() - t1}
    improved = best is not None
    return Native(m, w.layout, w.at, w.cover, w.entries, step, loop, code, seconds, improved)


def _kept(step: str, loop: str) -> Entries | None:
    """The best machine code of the two modules, if it is kept."""
    target = _Target(fast=False)
    data = target.shelf.get(target.key(step, loop))
    return None if data is None else _load(target, data)


def _compile(step: str, loop: str, *, fast: bool) -> Entries:
    """Machine code of the two modules.

    :param fast: compile fast; the code takes about twice the time of the best
    """
    target = _Target(fast=fast)
    key = target.key(step, loop)
    data = target.shelf.get(key)
    if data is None:
        data = _write_object(target, step, loop)
        target.shelf.put(key, data)
    return _load(target, data)


class _Target:
    """The processor that is here, and how code is made for it.

    :param fast: compile fast
    """

    def __init__(self, *, fast: bool) -> None:
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.llvm, self.fast, self.shelf = llvm, fast, _shelf(cache_folder())
        self.cpu = llvm.get_host_cpu_name()
        self.features = llvm.get_host_cpu_features().flatten()
        self.machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=self.cpu, features=self.features, opt=0 if fast else 2, jit=True
        )
        self.head = f'target triple = "{llvm.get_default_triple()}"\n'

    def key(self, step: str, loop: str) -> str:
        """What the machine code of the two modules is kept under."""
        of = repr((_recipe(), self.llvm.llvm_version_info, self.cpu, self.features, self.fast))
        return digest(of, self.head, step, loop)


@cache
def _shelf(folder: Path | None) -> Shelf:
    """The one of that cache."""
    return Shelf(CODE, folder)


@cache
def _recipe() -> bytes:
    """This file: how a text is optimised."""
    return Path(__file__).read_bytes()


def _write_object(target: _Target, step: str, loop: str) -> bytes:
    """The object file of the two modules."""
    llvm, fast = target.llvm, target.fast
    context = llvm.create_context()
    outer = step.replace("define internal", "define")
    step_module = llvm.parse_assembly(target.head + outer, context)
    loop_module = llvm.parse_assembly(target.head + _declare(step) + loop, context)
    size = step.count("\n")
    tm = target.machine
    _optimise(llvm, step_module, tm, LEAST if fast else WHOLE if size < SMALL else SOME)
    _optimise(llvm, loop_module, tm, LEAST if fast else WHOLE)
    loop_module.link_in(step_module)
    return bytes(tm.emit_object(loop_module))


def _load(target: _Target, data: bytes) -> Entries:
    """The entry points of an object file."""
    llvm = target.llvm
    none = llvm.parse_assembly(target.head, llvm.create_context())
    engine = llvm.create_mcjit_compiler(none, target.machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(data))
    engine.finalize_object()
    ptr, u64 = ctypes.c_void_p, ctypes.c_uint64

    def entry(name: str, *args: Any) -> Any:
        return ctypes.CFUNCTYPE(None, *args)(engine.get_function_address(name))

    return Entries(
        entry("work", ptr),
        entry("seed", ptr, ptr),
        entry("rehash", ptr, ptr, u64, u64, ptr),
        (engine, none, target.machine),
    )


def _declare(step: str) -> str:
    """Declarations of the functions that ``step`` defines."""
    out = []
    for line in step.split("\n"):
        if line.startswith("define internal i64 @"):
            name = line.split("@")[1].split("(")[0]
            out.append(f"declare i64 @{name}(ptr, ptr, ptr, i64, i64, i64, i64)")
    return "\n".join(out) + "\n"


def _optimise(llvm: Any, module: Any, tm: Any, how: str) -> None:
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(tm, options)
    if how == WHOLE:
        passes = builder.getModulePassManager()
    else:
        passes = llvm.create_new_module_pass_manager()
        passes.add_sroa_pass()
    if how == SOME:
        passes.add_simplify_cfg_pass()
        passes.add_instruction_combine_pass()
        passes.add_simplify_cfg_pass()
    passes.run(module, builder)

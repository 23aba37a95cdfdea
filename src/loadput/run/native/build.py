"""From a machine to machine code: text, optimiser, just-in-time compiler."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...machine.model import Machine
from ...machine.nodes import FRAMES
from .cover import Cover
from .expr import Ranges
from .layout import Layout, make_layout
from .loop import LoopWriter
from .offsets import Offsets
from .shape import make_shape
from .step import StepWriter, write_conditions

SMALL = 12_000
"""Lines of IR up to which the optimiser's whole O2 is worth its time."""


@dataclass(slots=True)
class Native:
    """A compiled machine.

    :param entries: the node of each entry, by its number
    :param keep: what must live as long as the code
    """

    machine: Machine
    layout: Layout
    at: Offsets
    cover: Cover
    entries: list[int]
    text: str
    work: Callable[[int], None]
    seed: Callable[[int, int], None]
    rehash: Callable[[int, int, int, int], None]
    seconds: dict[str, float]
    keep: tuple[Any, ...]


def write_text(m: Machine, *, shared: bool) -> tuple[str, str, StepWriter]:
    """The IR of the successor function and of the search loop, and how to read their results."""
    shape = make_shape(m)
    layout = make_layout(m, shape)
    entries = [n for k in FRAMES for n in shape.entries[k]]
    writer = StepWriter(shape, layout, Ranges(m, shape), entries)
    step = writer.write("step", entries)
    more, conditions = write_conditions(writer)
    loop = LoopWriter(shape, layout, writer.at, conditions, shared=shared).write()
    return step + more, loop, writer


def compile_machine(m: Machine, *, shared: bool) -> Native:
    """Return the machine code of ``m``.

    :param shared: for more than one thread
    Raises LayoutError LP060x where a state or a value does not fit.
    """
    import llvmlite.binding as llvm

    t0 = time.perf_counter()
    step, loop, writer = write_text(m, shared=shared)
    t1 = time.perf_counter()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    tm = target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        jit=True,
    )
    head = f'target triple = "{llvm.get_default_triple()}"\n'
    lines = step.count("\n")
    step_module = llvm.parse_assembly(head + step.replace("define internal", "define"))
    loop_module = llvm.parse_assembly(head + _declare(step) + loop)
    t2 = time.perf_counter()
    _optimise(llvm, step_module, tm, full=lines < SMALL)
    _optimise(llvm, loop_module, tm, full=True)
    loop_module.link_in(step_module)
    t3 = time.perf_counter()
    engine = llvm.create_mcjit_compiler(loop_module, tm)
    engine.finalize_object()
    t4 = time.perf_counter()
    ptr, u64 = ctypes.c_void_p, ctypes.c_uint64

    def entry(name: str, *args: Any) -> Any:
        return ctypes.CFUNCTYPE(None, *args)(engine.get_function_address(name))

    seconds = {"write": t1 - t0, "parse": t2 - t1, "optimise": t3 - t2, "emit": t4 - t3}
    return Native(
        m,
        writer.layout,
        writer.at,
        writer.cover,
        writer.entries,
        step + loop,
        entry("work", ptr),
        entry("seed", ptr, ptr),
        entry("rehash", ptr, ptr, u64, u64),
        seconds,
        (engine, loop_module, tm),
    )


def _declare(step: str) -> str:
    """Declarations of the functions that ``step`` defines."""
    out = []
    for line in step.split("\n"):
        if line.startswith("define internal i64 @"):
            name = line.split("@")[1].split("(")[0]
            out.append(f"declare i64 @{name}(ptr, ptr, ptr, i64, i64, i64, i64)")
    return "\n".join(out) + "\n"


def _optimise(llvm: Any, module: Any, tm: Any, *, full: bool) -> None:
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(tm, options)
    if full:
        passes = builder.getModulePassManager()
    else:
        passes = llvm.create_new_module_pass_manager()
        passes.add_sroa_pass()
        passes.add_simplify_cfg_pass()
        passes.add_instruction_combine_pass()
        passes.add_simplify_cfg_pass()
    passes.run(module, builder)

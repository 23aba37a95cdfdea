"""SPIN's answer to the exported model."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from loadput.base.errors import LoadputError
from loadput.export import export_promela
from loadput.machine.model import Machine

if TYPE_CHECKING:
    from .compare import Answer, Row

SPIN = "spin -DSTEP={step} -a -o1 -o2 -o3 m.pml"
PAN = "{cc} {level} -DNOREDUCE -DSAFETY -DMEMLIM=16000 pan.c -o pan"
RUN = "./pan -m4000000 -E -c0 -w{table}"
TOO_LONG = 4_000_000
"""Characters of a model that takes SPIN and the compiler minutes."""
TOO_MANY_WAYS = "LP0804"
LATE_S = 1_800


def is_here() -> bool:
    """Whether SPIN and a C compiler are installed."""
    return all(shutil.which(t) for t in ("spin", "cc"))


def compiler(level: str) -> str:
    """What compiles a verifier: of a small model gcc takes seconds, tcc a moment."""
    return "tcc" if level == "-O0" and shutil.which("tcc") else "cc"


def run_command(command: str, folder: Path) -> str:
    """What ``command`` prints; RuntimeError where it fails."""
    clean = {k: v for k, v in os.environ.items() if k != "CFLAGS"}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=clean, capture_output=True, text=True, timeout=LATE_S
    )
    text = done.stdout + done.stderr
    if done.returncode:
        raise RuntimeError(f"{command}: {text[-800:]}")
    return text


def run_spin(
    model: str, folder: Path, *, step: str = "d_step", level: str = "-O0", table: int = 20
) -> tuple[int, int, set[str]]:
    """States, transitions and violated properties in SPIN.

    :param step: what a step is; ``atomic``: every statement a transition
    :param level: how the C compiler optimises
    :param table: bits of the hash table to start with
    """
    (folder / "m.pml").write_text(model)
    run_command(SPIN.format(step=step), folder)
    run_command(PAN.format(cc=compiler(level), level=level), folder)
    text = run_command(RUN.format(table=table), folder)
    states = re.search(r"(\d+) states, stored", text)
    moves = re.search(r"(\d+) transitions", text)
    if not states or not moves or "max search depth too small" in text:
        raise RuntimeError(text[-800:])
    # SPIN counts the way into the initial state as a transition.
    bad = {b.replace("_", "-") for b in re.findall(r"assertion violated (\w+)", text)}
    return int(states[1]), int(moves[1]) - 1, bad


def ask(row: Row, m: Machine) -> Answer | None:
    """The violated properties of ``m``, and how the number of states differs, if it does."""
    from .compare import PLAIN, Answer

    if not is_here():
        return None
    try:
        model = export_promela(m, checks=True)
    except LoadputError as e:
        if e.code == TOO_MANY_WAYS:
            return None
        raise
    if len(model) > TOO_LONG:
        return None
    with tempfile.TemporaryDirectory() as name:
        states, _, bad = run_spin(model, Path(name))
    if states != row.states:
        row.disagree["spin states"] = f"{states} states, {row.states} unfused"
    # The model asserts nothing about states in which nothing moves.
    stuck = {p.name for p in m.program.properties if p.kind == "stuck"}
    bad |= stuck & set(row.answers[PLAIN].violated)
    return Answer(sorted(bad), True, states)

"""SPIN's answer to the exported model."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from loadput.export import export_promela
from loadput.machine.model import Machine

if TYPE_CHECKING:
    from .compare import Answer, Row

SPIN = "spin -a -o1 -o2 -o3 m.pml"
PAN = "cc -O0 -DNOREDUCE -DSAFETY -DMEMLIM=4000 pan.c -o pan"
RUN = "./pan -m4000000 -E -c0 -w20"
TOO_LONG = 4_000_000
"""Characters of a model that takes SPIN and the compiler minutes."""


def is_here() -> bool:
    """Whether SPIN and a C compiler are installed."""
    return all(shutil.which(t) for t in ("spin", "cc"))


def _run(command: str, folder: Path) -> str:
    clean = {k: v for k, v in os.environ.items() if k != "CFLAGS"}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=clean, capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {(done.stdout + done.stderr)[-300:]}")
    return done.stdout + done.stderr


def run_spin(model: str) -> tuple[int, set[str]]:
    """States and violated properties."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "m.pml").write_text(model)
        for command in (SPIN, PAN):
            _run(command, folder)
        text = _run(RUN, folder)
    states = re.search(r"(\d+) states, stored", text)
    if not states or "max search depth too small" in text:
        raise RuntimeError(text[-300:])
    bad = set(re.findall(r"assertion violated (\w+)", text))
    return int(states[1]), {b.replace("_", "-") for b in bad}


def ask(row: Row, m: Machine) -> Answer | None:
    """The violated properties of ``m``, and how the number of states differs, if it does."""
    from .compare import PLAIN, Answer

    if not is_here():
        return None
    model = export_promela(m, checks=True)
    if len(model) > TOO_LONG:
        return None
    states, bad = run_spin(model)
    if states != row.states:
        row.disagree["spin states"] = f"{states} states, {row.states} unfused"
    # The model asserts nothing about states in which nothing moves.
    stuck = {p.name for p in m.program.properties if p.kind == "stuck"}
    bad |= stuck & set(row.answers[PLAIN].violated)
    return Answer(sorted(bad), True, states)

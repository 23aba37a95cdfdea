"""What every message about bad input has, for the tests of this room."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from subprocess import CompletedProcess
from typing import NoReturn

PLACE = re.compile(r"^  --> (\S+?)(?::(\d+):(\d+))?(?:   .*)?$", re.M)


def told(done: CompletedProcess[str], code: str, place: str = "") -> str:
    """One message with ``code``: exit code 2, the place, what was expected, the next step.

    :param place: ``file`` or ``file:line`` that it must name
    :return: the message, on one line
    """
    out = done.stdout + done.stderr
    assert done.returncode == 2, out
    assert out.count("error[LP") == 1, out
    assert f"error[{code}]: " in out
    assert "Traceback" not in out
    assert "expected:" in out or "available:" in out, out
    assert "next:" in out or "nearest:" in out, out
    m = PLACE.search(out)
    if place:
        assert m, out
        at = m[1] + (f":{m[2]}" if ":" in place else "")
        assert at.endswith(place), out
    return " ".join(out.split())


def lay(
    folder: Path, text: str, *, kind: str = "design", more: str = "", overlay: str = ""
) -> tuple[str, ...]:
    """An overlay ``mine`` with one file ``a.py``; the words of a check on it."""
    at = folder / "o" / kind / "mine"
    at.mkdir(parents=True)
    said = overlay or f'"""Ours."""\n\nOVERLAY = Overlay(name="mine", parent="D"{more})\n'
    (at / "overlay.py").write_text(said)
    (at / "a.py").write_text(text)
    option = "--twin" if kind in ("twin", "museum") else f"--{kind}"
    return ("check", "--overlays", "o", option, "mine", "--arch", "riscv", "--scenario", "one")


def run_here(folder: Path, *words: object) -> CompletedProcess[str]:
    """``loadput WORDS`` in ``folder``, as a child of this process: the command without its start.

    For tests of hundreds of inputs. It has its own streams, signals and exit code.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _become(folder, list(map(str, words)), out.fileno(), err.fileno())
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    return CompletedProcess(words, os.waitstatus_to_exitcode(status), *texts)


def _become(folder: Path, words: list[str], out: int, err: int) -> NoReturn:
    from loadput.cli.main import main

    code = 97
    try:
        os.chdir(folder)
        os.dup2(out, 1)
        os.dup2(err, 2)
        for name, number in (("stdout", 1), ("stderr", 2)):
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        sys.argv = ["loadput", *words]
        try:
            main()
        except SystemExit as e:
            code = e.code if isinstance(e.code, int) else 98
    finally:
        os._exit(code)

"""The machine code of ``loops.py`` does what Python does with the same text, inside its arrays."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from loadput.trace import loops, machine, read_trace

from .conftest import FIXTURES

FILES = ["x86-6.12-ioctl.dat", "x86-6.1-v6.dat", "arm64-6.12.dat", "x86-6.12-perf.data"]


@pytest.fixture
def in_python(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the loops in Python."""
    names = ("walk_pages", "walk_chain", "read_samples", "tally", "decode")
    monkeypatch.setattr(machine, "_loaded", {name: getattr(loops, name) for name in names})
    yield


def columns(name: str) -> dict[str, list[object]]:
    trace = read_trace(FIXTURES / name)
    known = [n for n in trace.events() if not n.startswith("unknown:")]
    found = trace.column_set(dict.fromkeys(known))
    return {f"{n}.{key}": col.tolist() for n, cols in found.items() for key, col in cols.items()}


@pytest.mark.parametrize("name", FILES)
def test_machine_code_equals_python(name: str, in_python: None) -> None:
    slow = columns(name)
    machine._loaded.clear()
    assert slow == columns(name)


def test_code_is_kept_and_not_used_for_another_text(tmp_path: Path) -> None:
    """A second process does not import LLVM; one with another ``loops.py`` compiles its own."""
    say = (
        "import sys; from loadput.trace import machine; machine.find_loop('decode');"
        "print('llvmlite' in sys.modules)"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}

    def run(code: str = say) -> str:
        return subprocess.check_output([sys.executable, "-c", code], env=env, text=True).strip()

    assert [run(), run()] == ["True", "False"]
    (path,) = (tmp_path / "loadput").iterdir()
    data = bytearray(path.read_bytes())
    data[-100] ^= 1  # damaged code is compiled again, not run
    path.write_bytes(data)
    assert [run(), run()] == ["True", "False"]
    path.write_bytes(path.read_bytes()[:-64])
    assert run() == "True"


def test_code_is_not_kept_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "file")}
    code = "from loadput.trace import machine; print(machine.find_loop('walk_chain') is not None)"
    assert subprocess.check_output([sys.executable, "-c", code], env=env, text=True) == "True\n"


def test_a_word_that_loops_may_not_use_is_named() -> None:
    import ast

    (tree,) = ast.parse("def f(a: int) -> int:\n    return a // 2\n").body
    assert isinstance(tree, ast.FunctionDef)
    with pytest.raises(NotImplementedError, match="a // 2"):
        machine.Translator(tree).text()


def test_text_is_cut_at_its_nul_at_every_length(write: object) -> None:
    """Bytes behind the NUL are not shown, whatever the field's size and place."""
    rng = np.random.default_rng(1)
    plain, cut = [], []
    for size in range(1, 40):
        raw = rng.integers(1, 255, size + 16, dtype=np.uint8)
        nul = int(rng.integers(0, size + 4))
        raw[8 + nul] = 0
        out = np.full(size + 8, 0xEE, dtype=np.uint8)
        _decode_one(raw, 8, size, out)
        plain.append(raw[8 : 8 + min(nul, size)].tobytes().ljust(size, b"\0"))
        cut.append(out[:size].tobytes())
        assert (out[size:] == 0xEE).all()
    assert plain == cut


def _decode_one(raw: np.ndarray, offset: int, size: int, out: np.ndarray) -> None:
    from loadput.trace.pages import RECORD

    record = np.zeros(1, dtype=RECORD)
    record["at"], record["size"] = raw.ctypes.data, raw.size
    time = np.zeros(1, dtype=np.int64)
    common = [np.zeros(1, dtype=np.int64) for _ in range(6)]
    fields = np.array([[0, offset, out.ctypes.data, size]], dtype=np.int64)
    plans = np.array([[0, 0, 1, 0, 0, *(c.ctypes.data for c in common), 1]], dtype=np.int64)
    slots = np.ones(1 << 16, dtype=np.uint16)
    run = np.array([time.ctypes.data, record.ctypes.data, time.ctypes.data + 8])
    heap = np.array([run.ctypes.data])
    done = machine.find_loop("decode")(
        heap.ctypes.data, 1, slots.ctypes.data, plans.ctypes.data, fields.ctypes.data
    )
    assert done == 1 and plans[0, 0] == 1

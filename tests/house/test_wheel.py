"""The wheel has all that runs: nothing of it is read from the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, laid out as an installation has them."""
    at = tmp_path_factory.mktemp("wheel")
    words = ("-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps", "-w", str(at))
    source = at / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    made = subprocess.run(
        [sys.executable, *words, str(source)], capture_output=True, text=True, check=False
    )
    wheels = list(at.glob("loadput-*.whl"))
    if not wheels and "setuptools" in made.stderr:
        pytest.skip("pip cannot get setuptools here, which builds the wheel")
    assert wheels, made.stderr
    with zipfile.ZipFile(wheels[0]) as z:
        z.extractall(at / "site")
    return at / "site"


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loadput", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_but_python_is_in_it_too(installed: Path) -> None:
    here = ROOT / "src" / "loadput"
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "src/loadput"],
        capture_output=True,
        text=True,
        check=True,
    )
    files = {Path(f).relative_to("src/loadput") for f in listed.stdout.split()}
    assert {f for f in files if not (installed / "loadput" / f).exists()} == set()
    assert here != installed / "loadput"


def test_it_checks_and_draws_from_there(installed: Path, tmp_path: Path) -> None:
    words = ("--arch", "riscv", "--scenario", "one")
    ran = run(installed, tmp_path, "explore", *words, "--max-states", "50", "--html", "x.html")
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "x.html").read_text("utf-8").startswith("<!doctype html>")
    assert "LP0530" in run(installed, tmp_path, "explain", "LP0530").stdout

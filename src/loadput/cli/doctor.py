"""``loadput doctor``: what this machine has for each verb, and what is missing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import click

# What a verb needs that this package cannot bring: programs, or modules of an extra.
PROGRAMS = {
    "record": (("perf", "linux-perf"), ("trace-cmd", "trace-cmd")),
    "check --repo": (("git", "git"),),
    "export": (("spin", "spin"), ("gcc", "gcc"), ("rumur", "rumur")),
    "lab": (
        ("qemu-system-x86_64", "qemu-system-x86"),
        ("qemu-system-aarch64", "qemu-system-arm"),
        ("qemu-system-riscv64", "qemu-system-misc"),
        ("cpio", "cpio"),
    ),
}
EXTRAS = {"explore": ("starlette", "uvicorn"), "sweep": ("distributed",)}
# A search keeps a table of states; some gigabytes hold a hundred million.
LEAST_FREE_MIB = 2048
# Debian's for administrators are not on everybody's path.
MORE_PATH = "/usr/sbin:/sbin"


@click.command("doctor")
def command() -> None:
    """Say what this machine has for each verb, and how to get what is missing.

    Exit code: 0, or 1 where something is missing that every verb needs.
    """
    lacking, rows = _base()
    for name, value in rows:
        click.echo(f"{name:14s}{value}")
    click.echo("")
    for name, value in _verbs():
        click.echo(f"{name:14s}{value}")
    raise SystemExit(int(lacking))


def _base() -> tuple[bool, list[tuple[str, str]]]:
    """What every verb needs: whether something lacks, and the lines."""
    rows = [("loadput", _version("loadput") or "not installed: run from its source")]
    rows.append(("python", f"{platform.python_version()}, {platform.machine()}"))
    lacking = False
    for name in sorted(_needed()):
        found = _version(name)
        lacking |= found is None
        rows.append((name, found or f"missing: pip install {name}"))
    rows.append(("cores", f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}"))
    rows += _memory()
    return lacking, rows


def _needed() -> list[str]:
    """The packages that loadput depends on, without its extras."""
    try:
        wanted = importlib.metadata.requires("loadput") or []
    except importlib.metadata.PackageNotFoundError:
        wanted = []
    return [w.split(";")[0].split(">")[0].strip() for w in wanted if "extra" not in w]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _memory() -> Iterator[tuple[str, str]]:
    """Free memory, and whether large tables can have huge pages."""
    try:
        text = Path("/proc/meminfo").read_text("ascii")
        free = {r.split(":")[0]: int(r.split()[1]) >> 10 for r in text.splitlines() if "kB" in r}
        told = f"{free['MemAvailable']:,} MiB available of {free['MemTotal']:,}"
        few = free["MemAvailable"] < LEAST_FREE_MIB
        yield "memory", told + ("; little: --max-memory bounds a search" if few else "")
    except (OSError, KeyError, ValueError, IndexError):
        yield "memory", "unknown: /proc/meminfo cannot be read"
    try:
        words = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text("ascii")
        mode = words.partition("[")[2].partition("]")[0]
        told = "searches ask for them" if mode in ("always", "madvise") else "searches are slower"
        yield "huge pages", f"{mode or 'unknown'}: {told}"
    except OSError:
        yield "huge pages", "not known here: searches are slower"


def _verbs() -> Iterator[tuple[str, str]]:
    """A line per verb that needs more, with what to install for it."""
    path = f"{os.environ.get('PATH', '')}:{MORE_PATH}"
    for verb, programs in PROGRAMS.items():
        lacking = [p for p in programs if shutil.which(p[0], path=path) is None]
        yield verb, _said([n for n, _ in lacking], "apt-get install", [p for _, p in lacking])
    for extra, modules in EXTRAS.items():
        gone = [m for m in modules if _version(m) is None]
        yield extra, _said(gone, "pip install", [f"'loadput[{extra}]'"])
    tracing = Path("/sys/kernel/tracing")
    is_open = os.access(tracing / "trace", os.R_OK)
    yield "tracefs", "can be read" if is_open else "closed to this user: record needs root"


def _said(lacking: list[str], how: str, packages: list[str]) -> str:
    if not lacking:
        return "has what it needs"
    return f"lacks {', '.join(lacking)}: {how} {' '.join(packages)}"

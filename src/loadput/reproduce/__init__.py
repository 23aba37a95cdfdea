"""From a counterexample to an experiment: a folder with a program that forces its schedule."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ..base.errors import InputError, OutputError
from ..base.output import store
from ..check.replayed import Counterexample
from ..check.story import Teller
from .plan import FOLLOWS, HOPED, INSTEAD, MODULE, USER, Plan, make_plan
from .tables import GUESTS, render_points, render_schedule, render_watch
from .words import render_readme

MAKEFILE = """\
# gcc, or a cross compiler: make CC=riscv64-linux-gnu-gcc
CFLAGS = -std=gnu11 -O1 -Wall -Wextra -static -pthread

reproduce: reproduce.c guest.h host.h schedule.h
\t$(CC) $(CFLAGS) -o $@ $<
"""
KBUILD = """\
obj-m := hold.o
KDIR ?= /lib/modules/$(shell uname -r)/build

all:
\t$(MAKE) -C $(KDIR) M=$(CURDIR) modules

clean:
\t$(MAKE) -C $(KDIR) M=$(CURDIR) clean
"""


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What is written for one counterexample.

    :param files: name in the folder -> text
    """

    counterexample: Counterexample
    plan: Plan
    files: dict[str, str]

    def steps_by(self) -> dict[str, list[int]]:
        """The steps, from 1, by what brings them about: the means of `plan`, in a fixed order."""
        out: dict[str, list[int]] = {m: [] for m in (USER, MODULE, INSTEAD, FOLLOWS, HOPED)}
        for number in range(1, len(self.plan.steps) + 1):
            out[self.plan.means_of(number)[0]].append(number)
        return out

    def write(self, folder: str | Path) -> list[Path]:
        """Write the files into ``folder``, which is made, and return their paths.

        :raises InputError: LP0541, the folder is there and not empty
        :raises OutputError: LP0520, it cannot be written
        """
        home = check_folder(folder)
        out = []
        for name, text in self.files.items():
            path = home / name
            _make(path.parent)
            store(path, text.encode())
            out.append(path)
        return out


def check_folder(folder: str | Path) -> Path:
    """``folder`` as a path; InputError LP0541 where it is there and not empty."""
    home = Path(folder)
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise InputError(
            "LP0541", f"{home} is there already", expected="a folder that is new, or empty",
            next="name another one with -o",
        )  # fmt: skip
    return home


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise OutputError(
            "LP0520", f"{folder} cannot be made", got=e.strerror or str(e),
            expected="a place where a folder may be made", next="name another one with -o",
        ) from None  # fmt: skip


def reproduce(found: Counterexample, *, command: str = "loadput reproduce") -> Reproduction:
    """Plan how to bring a counterexample about on a real kernel, and write what does it.

    :param command: what gave it, for the page
    """
    machine = found.build()
    steps = Teller(machine).follow_to(found.path, found.property)
    plan = make_plan(machine, found.path, steps)
    asked = next(p for p in machine.program.properties if p.name == found.property)
    arch = found.choice.arch
    has_guest = arch in GUESTS
    files = {
        "README.md": render_readme(
            plan, found.scenario, asked, title=found.title, command=command,
            has_guest=has_guest,
        ),
        "watch.bt": render_watch(plan),
    }  # fmt: skip
    if has_guest:
        files["schedule.h"] = render_schedule(plan, found.scenario)
        files |= {name: _file(name) for name in ("reproduce.c", "guest.h", "host.h")}
        files["Makefile"] = MAKEFILE
    if plan.holds:
        files["module/points.h"] = render_points(plan)
        files["module/hold.c"] = _file("hold.c")
        files["module/Makefile"] = KBUILD
    return Reproduction(found, plan, files)


def _file(name: str) -> str:
    return resources.files(__package__).joinpath("files", name).read_text(encoding="utf-8")

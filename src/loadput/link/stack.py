"""Overlays in their order, and a word where they are not written for each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..base.errors import LinkError
from .layers import DEFAULT_RELEASE, Choice, Layers, modules_of
from .overlay import SPEC, Overlay, chain, find_overlays, get_broken, get_overlay
from .refuse import check_marks, check_overlay


def _refuse(
    choice: Choice, release: Overlay, design: Overlay, broken: Sequence[Overlay], *, own: bool
) -> None:
    """Raise LinkError LP0407 or LP0408 where the overlays are not written for each other."""
    name = design.name
    if design.arch and choice.arch not in design.archs:
        raise LinkError(
            "LP0407", f"design {name} is not written for {choice.arch}", available=design.arch
        )
    if release.arch and choice.arch not in release.archs:
        raise LinkError(
            "LP0407",
            f"release {release.name} is not written for {choice.arch}",
            available=release.arch,
            next=f"--arch {release.archs[0]}, or --release {DEFAULT_RELEASE}",
        )
    if wanted := [b.release for b in broken if b.release not in ("", choice.release)]:
        raise LinkError(
            "LP0407",
            f"{broken[-1].label} is not written for release {release.name}",
            available=wanted[0],
            next=f"--release {wanted[0]}",
        )
    if not own and release.design not in ("", "D"):
        raise LinkError(
            "LP0408",
            f"design {name} is not written for release {release.name}",
            available=f"{release.design} (its own); every design on v6.12 and v7.3",
            next=f"leave --design out, or choose --release {DEFAULT_RELEASE}",
        )


@dataclass(frozen=True, slots=True)
class _Age:
    """How new a body is.

    :param level: which of the releases, and which of the architectures there, counted in their
        order, changed it last
    :param stale: the design or twin that has brought an older one back
    """

    level: tuple[int, int] = (-1, -1)
    stale: Overlay | None = None

    def after(self, v: Overlay, level: tuple[int, int]) -> _Age:
        """As it is once ``v`` has replaced the body by one as new as ``level``."""
        return _Age(max(level, self.level), v if level < self.level else None)


def _refuse_stale(lay: Layers, releases: Sequence[Overlay], age: Mapping[str, _Age]) -> None:
    """Raise LinkError LP0407 or LP0408 where a body of another release would come back."""
    names = [r.name for r in releases]
    name, found = next(((n, a) for n, a in age.items() if a.stale is not None), ("", _Age()))
    v = found.stale
    if v is None:
        return
    known = find_overlays("release").values()
    forms = [r.name for r in known if (v.folder / "release" / r.folder.name).is_dir()]
    raise LinkError(
        "LP0408" if v.kind == "design" else "LP0407",
        f"{v.kind} {v.name} is not written for release {lay.choice.release}",
        got=f"another {name}, which {names[found.level[0]]} has changed",
        available=", ".join(["v6.12", *forms]),
        next=f"--release v6.12; or an overlay of your own, with {name} as {lay.choice.release}"
        " has it",
    )


class _Stack:
    """Puts overlays on, and knows how new each body is."""

    def __init__(
        self, lay: Layers, releases: Sequence[Overlay], arches: Sequence[Overlay], *, own: bool
    ) -> None:
        self.lay, self.releases, self.arches, self.own = lay, releases, arches, own
        self.age: dict[str, _Age] = {}

    def put(self, overlay: Overlay, part: str = "", release: int = -1, arch: int = -1) -> None:
        """A folder of an overlay's: its bodies are of that release, and of that architecture."""
        folder = overlay.folder / part
        if folder.is_dir():
            mods, _ = modules_of(folder, overlay.label, folder.parent.name == "arch")
            check_marks(self.lay, mods, overlay.label)
            self.lay.lay(mods, overlay.label, replace(overlay, removes=()) if part else overlay)
            for d in (d for m in mods for d in m.defs):
                before = _Age() if overlay.kind == "arch" else self.age.get(d.name, _Age())
                self.age[d.name] = before.after(overlay, (release, arch))

    def put_archs(self, overlay: Overlay, part: str = "", release: int = -1) -> None:
        """What it has for the architecture and its parents."""
        for i, a in enumerate(self.arches):
            self.put(overlay, f"{part}arch/{a.name}", release, i)

    def put_all(self, overlay: Overlay, *, top: bool = True) -> None:
        """What an overlay has, and over that its form for each of the releases.

        Shipped ones that name no release are written for v6.12.
        """
        ours = overlay.folder.is_relative_to(SPEC) and not overlay.release
        newest = -1 if ours and not (self.own and overlay.kind == "design") else len(self.releases)
        # One for some architectures has theirs at its top.
        last = len(self.arches) if overlay.arch else -1
        if top:
            self.put(overlay, "", newest, last)
        self.put_archs(overlay, "", newest)
        for i, r in enumerate(self.releases):
            part = f"release/{r.folder.name}"
            self.put(overlay, part, i, last)
            self.put_archs(overlay, f"{part}/", i)


def stack(choice: Choice) -> Layers:
    """Lay the overlays in their order: mainline, release, arch, design, twin, properties."""
    more = choice.search
    release = get_overlay("release", choice.release, *more)
    arches = chain(get_overlay("arch", choice.arch, *more), *more) if choice.arch else []
    name = choice.design or release.design or "D"
    designs = chain(get_overlay("design", name, *more), *more)
    broken = chain(get_broken(choice.twin, *more), *more) if choice.twin else []
    own = name == (release.design or "D")
    for v in (release, *arches, *designs, *broken):
        check_overlay(v, *more)
    _refuse(choice, release, designs[-1], broken, own=own)
    lay, releases = Layers(choice), chain(release, *more)
    on = _Stack(lay, releases, arches, own=own)

    lay.lay(modules_of(SPEC / "mainline", "mainline", True)[0], "mainline")
    if own:
        for d in designs:
            on.put(d)
    for i, r in enumerate(releases):
        on.put(r, "", i)
    for a in arches:
        on.put(a)
    for i, r in enumerate([] if own else releases):
        on.put_archs(r, "", i)
    for d in designs:
        on.put_all(d, top=not own)
    for i, r in enumerate(releases if own else []):
        on.put(r, "", i)
        on.put_archs(r, "", i)
    for t in broken:
        on.put_all(t)
    _refuse_stale(lay, releases, on.age)
    return lay

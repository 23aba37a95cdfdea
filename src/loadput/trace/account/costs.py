"""The cost table: cycles per piece of skipped work, each with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from loadput.base.errors import TraceError


@dataclass(frozen=True, slots=True)
class Cost:
    """Cycles of one piece of work: a range, and where it comes from."""

    name: str
    what: str
    low: float
    high: float
    source: str
    functions: tuple[str, ...]


def load_costs(path: str | Path | None = None) -> list[Cost]:
    """Read a cost table; the one that ships with this package when ``path`` is None.

    :raises TraceError: LP0612, not a table of [name] with what, low, high and source
    """
    name = str(path) if path is not None else "costs.toml"
    try:
        if path is not None:
            text = Path(path).read_text(encoding="utf-8")
        else:
            text = resources.files(__package__).joinpath("costs.toml").read_text(encoding="utf-8")
        table = tomllib.loads(text)
        return [
            Cost(
                key,
                str(row["what"]),
                float(row["low"]),
                float(row["high"]),
                str(row["source"]),
                tuple(row.get("functions", ())),
            )
            for key, row in table.items()
        ]
    except (
        OSError,
        tomllib.TOMLDecodeError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as why:
        raise TraceError(
            "LP0612",
            f"unreadable cost table: {why}",
            where=name,
            expected='[name] with what = "...", low, high (cycles) and source = "..."',
            next="copy the shipped costs.toml and edit it",
        ) from why

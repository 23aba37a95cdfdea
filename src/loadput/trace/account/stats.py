"""Distributions and intervals: percentiles, log2 histograms, bootstrap over time blocks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]

PERCENTILES = (50, 90, 99)
# Blocks of time that are drawn with repetition: events within one block depend on each other,
# so they are drawn together. 40 keeps each block long against a time slice in a 10 s recording.
BLOCKS = 40
RESAMPLES = 2000
SEED = 20240430
# Below this many events, or blocks that hold any, an interval would claim too much.
MIN_EVENTS, MIN_BLOCKS = 30, 10


@dataclass(frozen=True, slots=True)
class Dist:
    """A distribution of durations in ns: count, sum, percentiles and a log2 histogram.

    ``histogram[k]`` counts values in [2^k, 2^(k+1)); 0 is counted in ``histogram[0]``.
    """

    count: int = 0
    total_ns: int = 0
    percentiles_ns: dict[str, int] = field(default_factory=dict)
    max_ns: int = 0
    histogram: list[int] = field(default_factory=list)


def describe(values: I64) -> Dist:
    """Summarise non-negative durations; an empty column gives an empty :class:`Dist`."""
    if not values.size:
        return Dist()
    values = np.maximum(values, 0)
    ranks = np.percentile(values, PERCENTILES, method="inverted_cdf")
    bits = np.log2(np.maximum(values, 1)).astype(np.int64)
    return Dist(
        int(values.size),
        int(values.sum()),
        {f"p{p}": int(v) for p, v in zip(PERCENTILES, ranks, strict=True)},
        int(values.max()),
        np.bincount(bits).tolist(),
    )


def bootstrap_ratio(
    hit: NDArray[np.bool_], time: I64, span: tuple[int, int]
) -> tuple[float, float] | None:
    """95% interval of the share of ``hit`` by a bootstrap over :data:`BLOCKS` blocks of time.

    :param hit: ``bool[n]``, one per event
    :param time: ``int64[n]`` ns
    :return: (low, high) in [0, 1]; None where the recording is too short to say
    """
    if hit.size < MIN_EVENTS or span[1] <= span[0]:
        return None
    block = np.minimum((time - span[0]) * BLOCKS // (span[1] - span[0] + 1), BLOCKS - 1)
    block = np.maximum(block, 0)
    events = np.bincount(block, minlength=BLOCKS)
    hits = np.bincount(block, weights=hit.astype(np.float64), minlength=BLOCKS)
    used = np.flatnonzero(events)
    if used.size < MIN_BLOCKS:
        return None
    draw = np.random.default_rng(SEED).choice(used, size=(RESAMPLES, used.size))
    ratio = hits[draw].sum(axis=1) / np.maximum(events[draw].sum(axis=1), 1)
    low, high = np.percentile(ratio, (2.5, 97.5))
    return float(low), float(high)

"""Symbols in words of several: recordings repeat themselves, and a word is one look-up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
BITS = 62


class Words:
    """The symbols of a recording, spelled with small letters, several letters in one number."""

    def __init__(self, symbols: I64) -> None:
        kinds = np.unique(symbols)
        self._bits = max(int(kinds.size - 1).bit_length(), 1)
        self.size = BITS // self._bits
        self._kinds: list[int] = kinds.tolist()
        self._letters = np.searchsorted(kinds, symbols).astype(np.int32)

    def split(self, start: int, end: int) -> tuple[list[int], list[int]]:
        """The words of rows ``start`` to ``end``, and the symbols that are left."""
        letters = self._letters[start:end]
        whole = letters.size // self.size * self.size
        words = np.zeros(whole // self.size, dtype=np.int64)
        for i in range(self.size):
            words |= letters[i : whole : self.size].astype(np.int64) << (self._bits * i)
        return words.tolist(), [self._kinds[x] for x in letters[whole:].tolist()]

    def spell(self, word: int) -> list[int]:
        """The symbols of a word."""
        mask = (1 << self._bits) - 1
        return [self._kinds[word >> self._bits * i & mask] for i in range(self.size)]

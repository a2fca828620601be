"""Which slots of an engine's memory are free."""

from __future__ import annotations

import heapq

from ttsops.errors import Overloaded


class FreeSlots:
    """Slots 0 … n - 1, all free at first."""

    def __init__(self, n_slots: int) -> None:
        self._n_slots = n_slots
        self._free = list(range(n_slots))

    def take(self) -> int:
        """The lowest: what is in use stays together. Raises `Overloaded`."""
        if not self._free:
            raise Overloaded(f"all {self._n_slots} places of the engine are taken", retry_after=1.0)
        return heapq.heappop(self._free)

    def give_back(self, slot: int) -> None:
        """It was taken, and is free again."""
        heapq.heappush(self._free, slot)

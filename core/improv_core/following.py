"""The live cache as it bears on one note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import ATTRIBUTE_NAMES

if TYPE_CHECKING:
    from improv_core.live_cache import LiveCache
    from improv_core.sampler import FloatArray

Singles = NDArray[np.float32]

_PITCH: Final = ATTRIBUTE_NAMES.index("pitch")


class Following:
    """A `LiveCache` as it bears on the note after certain others; a `improv_core.sampler.Mixing`.

    Args:
        cache: Where from.
        pitches: Of the notes before, oldest first.
    """

    __slots__ = ("_alike", "_at", "_cache", "_pitches", "_struck")

    def __init__(self, cache: LiveCache, pitches: Sequence[int]) -> None:
        self._cache, self._pitches = cache, pitches
        self._at = -1
        self._alike: Singles = np.zeros(0, dtype=np.float32)
        self._struck: tuple[int, Singles] | None = None

    def mixed(
        self, attribute: int, z: FloatArray, classes: Sequence[int], probabilities: FloatArray
    ) -> FloatArray:
        """The model's probabilities and the cache's in one, (classes,), sum 1.

        Args:
            attribute: Index of it.
            z: What its head reads, (projected,).
            classes: Of the earlier attributes of the note, as drawn.
            probabilities: The model's, (classes,), sum 1. They come back untouched where `LiveCache.follow`
                is 0 or nothing has been heard.
        """
        follow = self._cache.follow
        if follow <= 0 or not len(self._cache):
            return probabilities
        return self.at_strength(follow, attribute, z, classes, probabilities)

    def at_strength(
        self,
        follow: float,
        attribute: int,
        z: FloatArray,
        classes: Sequence[int],
        probabilities: FloatArray,
    ) -> FloatArray:
        """`mixed` at another strength than the cache's; 1 is what the cache says alone."""
        if self._at != self._cache.changes:
            self._at, self._alike = self._cache.changes, self._cache.alike(list(self._pitches))
            self._struck = None
        latest = self._pitches[-1] if self._pitches else None
        alike = self._alike
        if attribute > _PITCH and latest is not None:
            alike = self._with_pitch(classes[_PITCH], latest)
        favour = self._cache.favour(attribute, alike)
        return self._cache.mix(attribute, z, probabilities, follow=follow, favour=favour, latest=latest)

    def _with_pitch(self, pitch: int, latest: int) -> Singles:
        if self._struck is None or self._struck[0] != pitch:
            self._struck = pitch, self._cache.with_interval(self._alike, pitch - latest)
        return self._struck[1]

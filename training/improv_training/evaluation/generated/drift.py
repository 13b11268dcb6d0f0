"""Whether continuations leave the manner of real music as they go on: the figures by position."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from improv_core.representation import Notes
from improv_training.evaluation.generated.calls import section
from improv_training.evaluation.generated.overlap import HALVINGS, compare, mean_shares
from improv_training.evaluation.generated.shares import Summary, summary

BLOCK_NOTES: Final = 25


@dataclass(frozen=True, slots=True)
class Block:
    """Some notes of every continuation, beside those at the same place of the truth.

    Attributes:
        begin: The first note, counted from 0.
        area_share: Mean overlapping area, generated as a share of real.
        overlap_share: The same of histogram overlap.
        generated: What was generated.
        real: What is true.
    """

    begin: int
    area_share: float
    overlap_share: float
    generated: Summary
    real: Summary


def drift(
    generated: Sequence[Notes],
    real: Sequence[Notes],
    pieces: Sequence[tuple[str, Hashable]],
    *,
    block_notes: int = BLOCK_NOTES,
    halvings: int = HALVINGS,
) -> list[Block]:
    """Compare block by block.

    Args:
        generated: Of each call what was generated.
        real: Of each call what is true.
        pieces: As for `compare`.
        block_notes: What is less than a block is left out.
        halvings: As for `compare`.
    """
    shortest = min(len(notes) for notes in (*generated, *real))
    blocks = []
    for begin in range(0, shortest - block_notes + 1, block_notes):
        played, true = (
            [section(notes, begin, begin + block_notes) for notes in runs] for runs in (generated, real)
        )
        area, overlap = mean_shares(compare(played, true, pieces, halvings=halvings))
        blocks.append(Block(begin, area, overlap, summary(played), summary(true)))
    return blocks

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from tiny_corpora import make_network, random_performance, require_training_extra, write_checkpoint

from improv_core.representation import Piano, Steps, encode, joined

with contextlib.suppress(ImportError):
    from improv_training.engine.batches import own_rows
    from improv_training.evaluation.reading import projected_before
    from improv_training.evaluation.scoring import Scorer, open_scorer


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


@pytest.fixture
def scorer(tmp_path: Path) -> Scorer:
    return open_scorer(write_checkpoint(tmp_path / "a.ckpt", make_network()))


def piece(notes: int, seed: int = 1) -> Steps:
    return own_rows(Piano(), encode(random_performance(notes, seed))).read


def alone(scorer: Scorer, read: Steps) -> np.ndarray:
    """From an empty state, by itself."""
    out, _ = scorer.body(read.columns[:, None], read.dense[:, None].astype(np.float32), scorer.empty(1))
    return out[:, 0]


def test_pieces_side_by_side_are_read_as_each_by_itself(scorer: Scorer) -> None:
    pieces = [piece(notes, notes) for notes in (5, 300, 40, *range(10, 30))]
    said = list(projected_before(scorer, pieces))
    assert [len(one) for one in said] == [len(one) for one in pieces]
    for read, one in zip(pieces, said, strict=True):
        expected = alone(scorer, joined([Piano().start(), read])[:-1])
        np.testing.assert_allclose(one, expected, atol=1e-5)


@pytest.mark.parametrize("notes", [3, 8, 9, 12, 13, 31, 40])
@pytest.mark.parametrize("window", [8, 9])
def test_in_windows_each_step_is_read_from_the_last_half_of_one(
    scorer: Scorer, notes: int, window: int
) -> None:
    read = piece(notes)
    shifted = joined([Piano().start(), read])[:-1]
    (said,) = projected_before(scorer, [read], window)
    assert len(said) == notes
    half = window // 2
    for i in range(notes):
        begin = 0 if i < window else -(-(i - window + 1) // half) * half
        assert begin <= i - half or begin == 0
        expected = alone(scorer, shifted[begin : begin + window])[i - begin]
        np.testing.assert_allclose(said[i], expected, atol=1e-5)


def test_a_piece_without_steps_has_nothing_before_them(scorer: Scorer) -> None:
    first, second = projected_before(scorer, [piece(0), piece(4)])
    assert (len(first), len(second)) == (0, 4)

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from tiny_corpora import make_network, random_performance, require_training_extra, write_checkpoint

from improv_core.representation import Symbols, encode
from improv_core.representation.chord_names import Chords
from improv_training.evaluation.chords import ChordHabits, groups_of
from improv_training.evaluation.spelling import spelling_of

with contextlib.suppress(ImportError):
    from improv_training.engine.batches import own_rows
    from improv_training.evaluation.pitch_space import pitch_nats, softmax
    from improv_training.evaluation.pitch_symbols import SymbolPitch, in_vocabulary
    from improv_training.evaluation.reading import projected_before
    from improv_training.evaluation.scoring import open_scorer


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


@pytest.mark.parametrize("order", ["pitches", "normal-order"])
def test_every_distribution_is_one_over_all_pitches_and_charges_what_is_unknown(
    order: Chords, tmp_path: Path
) -> None:
    pieces = [encode(random_performance(count, seed)) for count, seed in ((60, 1), (20, 2), (1, 3))]
    symbols = Symbols(order, 1).learned([pieces[0]])
    scorer = open_scorer(write_checkpoint(tmp_path / "a.ckpt", make_network(representation=symbols)))
    model = SymbolPitch(scorer, spelling_of(symbols, ChordHabits.learned(pieces)))
    for shares, notes in zip(model.distributions(pieces), pieces, strict=True):
        assert shares.shape == (len(notes), 128)
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-12)
        assert shares.min() > 0
    known = [in_vocabulary(symbols, notes) for notes in pieces]
    assert known[0].all()
    assert not known[1].all()
    assert np.isfinite(np.concatenate(pitch_nats(model, pieces))).all()


def test_a_model_is_read_before_each_onset(tmp_path: Path) -> None:
    notes = encode(random_performance(20))
    symbols = Symbols("pitches", 1).learned([notes])
    scorer = open_scorer(write_checkpoint(tmp_path / "a.ckpt", make_network(representation=symbols)))
    (projected,) = projected_before(scorer, [own_rows(symbols, notes).read])
    shares = softmax(scorer.heads.outputs(0, scorer.heads.begin(projected, ()), ()))
    spelling = spelling_of(symbols, ChordHabits.none())
    (said,) = SymbolPitch(scorer, spelling).distributions([notes])
    groups, place = groups_of(notes), 0
    assert max(map(len, groups)) > 1
    for of_onset, group in zip(shares, groups, strict=True):
        np.testing.assert_allclose(said[place], of_onset @ spelling.first)
        for i in range(1, len(group)):
            np.testing.assert_allclose(said[place + i], spelling.following(of_onset, group[:i]))
        place += len(group)

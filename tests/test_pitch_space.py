from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from tiny_corpora import (
    make_corpus,
    make_network,
    random_performance,
    require_training_extra,
    write_checkpoint,
)

from improv_core.representation import Attribute, Events, NoteAttributes, Notes, Piano, Representation, encode
from improv_core.representation.binning import Identity
from improv_core.representation.piano import DT
from improv_training.evaluation.baselines import Baselines
from improv_training.evaluation.ppm import Ppm

with contextlib.suppress(ImportError):
    from improv_training.engine.batches import own_rows
    from improv_training.evaluation.pitch_space import (
        GROUPING,
        PAST,
        TIMING,
        BigramPitch,
        EventPitch,
        NotePitch,
        PianoPitch,
        PitchModel,
        PpmPitch,
        Told,
        UnigramPitch,
        pitch_nats,
        softmax,
        time_shares,
    )
    from improv_training.evaluation.reading import projected_before
    from improv_training.evaluation.scoring import Scorer, open_scorer

PITCH_ALONE = NoteAttributes((Attribute("pitch", Identity(128), form="one-hot"),))
PIECES = [encode(random_performance(count, seed)) for count, seed in ((30, 1), (12, 2), (1, 3))]


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def scorer(representation: Representation, tmp_path: Path) -> Scorer:
    network = make_network(representation=representation)
    return open_scorer(write_checkpoint(tmp_path / "a.ckpt", network))


def all_models(tmp_path: Path) -> dict[str, PitchModel]:
    corpus = make_corpus({"a": random_performance(100, 9)})
    counts = Baselines.learn([corpus], PITCH_ALONE)
    ppm = Ppm.learn(notes.pitch for notes in corpus.pieces("train"))
    piano = scorer(Piano(), tmp_path)
    return {
        "unigram": UnigramPitch(counts),
        "bigram": BigramPitch(counts),
        "ppm": PpmPitch(ppm),
        "notes": NotePitch(scorer(PITCH_ALONE, tmp_path)),
        "notes in windows": NotePitch(scorer(PITCH_ALONE, tmp_path), window=8),
        "events": EventPitch(scorer(Events(), tmp_path)),
        **{f"piano, {told}": PianoPitch(piano, told) for told in (PAST, GROUPING, TIMING)},
    }


def test_every_distribution_is_one_over_all_pitches(tmp_path: Path) -> None:
    for name, model in all_models(tmp_path).items():
        said = list(model.distributions(PIECES))
        assert [shares.shape for shares in said] == [(len(notes), 128) for notes in PIECES], name
        for shares in said:
            np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-12, err_msg=name)
            assert shares.min() > 0, name


def test_no_note_knows_itself_or_what_comes_after_it(tmp_path: Path) -> None:
    """The events before a note end with it: nothing lasts beyond it, so that a piece may be cut."""
    rng = np.random.default_rng(5)
    count = 20
    whole = Notes(
        dt_ms=np.full(count, 100),
        pedal=np.zeros(count, dtype=np.int64),
        pitch=rng.integers(40, 80, count),
        velocity=np.full(count, 64),
        duration_ms=np.full(count, 80),
    )
    changed = Notes(whole.dt_ms, whole.pedal, whole.pitch.copy(), whole.velocity, whole.duration_ms)
    changed.pitch[10:] = 81
    for name, model in all_models(tmp_path).items():
        (said,), (of_changed,) = model.distributions([whole]), model.distributions([changed])
        np.testing.assert_allclose(said[:11], of_changed[:11], atol=1e-6, err_msg=name)
        if name != "unigram":
            assert np.abs(said[11:] - of_changed[11:]).max() > 1e-6, name


def test_nats_are_of_the_pitches_that_come(tmp_path: Path) -> None:
    model = all_models(tmp_path)["bigram"]
    for nats, shares, notes in zip(
        pitch_nats(model, PIECES), model.distributions(PIECES), PIECES, strict=True
    ):
        expected = [-np.log(shares[i, pitch]) for i, pitch in enumerate(notes.pitch)]
        np.testing.assert_allclose(nats, expected)


@pytest.mark.parametrize("told", ["the past", "the past and the grouping"])
def test_piano_is_summed_over_every_time_and_pedal(told: Told, tmp_path: Path) -> None:
    model, notes = scorer(Piano(), tmp_path), PIECES[1]
    (projected,) = projected_before(model, [own_rows(Piano(), notes).read])
    (said,) = PianoPitch(model, told).distributions([notes])
    allowed = np.ones((len(notes), DT.size)) if told == PAST else time_shares(notes)
    for i in range(len(notes)):
        z, expected = model.heads.begin(projected[i], own_rows(Piano(), notes).asked[i]), np.zeros(128)
        times = softmax(model.heads.outputs(0, z, ())) * allowed[i]
        for dt, of_time in enumerate(times / times.sum()):
            for pedal, of_pedal in enumerate(softmax(model.heads.outputs(1, z, (dt,)))):
                expected += of_time * of_pedal * softmax(model.heads.outputs(2, z, (dt, pedal)))
        np.testing.assert_allclose(said[i], expected, atol=1e-7)


def test_piano_that_is_told_time_and_pedal_says_what_its_head_says(tmp_path: Path) -> None:
    model, notes = scorer(Piano(), tmp_path), PIECES[0]
    rows = own_rows(Piano(), notes)
    (projected,) = projected_before(model, [rows.read])
    (said,) = PianoPitch(model, TIMING).distributions([notes])
    z = model.heads.begin(projected[7], rows.asked[7])
    expected = softmax(model.heads.outputs(2, z, rows.targets[7].tolist()))
    np.testing.assert_allclose(said[7], expected, atol=1e-7)


def test_times_agree_with_the_grouping_by_their_share_of_milliseconds() -> None:
    onsets_ms = np.array([0, 20, 48, 51, 101, 102])  # onsets of 0, 20, 48 | 51, 101 | 102
    count = len(onsets_ms)
    notes = Notes(
        dt_ms=np.diff(onsets_ms, prepend=0),
        pedal=np.zeros(count, dtype=np.int64),
        pitch=60 + np.arange(count),
        velocity=np.full(count, 64),
        duration_ms=np.full(count, 10),
    )
    shares = time_shares(notes)
    assert shares[0].tolist() == [1] * DT.size
    # 0..50 ms after the first: classes of 0-4, 5-14, 15-24, 25-34, 35-44 and six of ten of 45-54
    assert shares[1][:7].tolist() == pytest.approx([1, 1, 1, 1, 1, 0.6, 0])
    assert shares[2][:5].tolist() == pytest.approx([1, 1, 1, 0.6, 0])
    assert shares[3][:3].tolist() == pytest.approx([1 - 3 / 5, 1, 1])  # only 0, 1 and 2 ms would belong
    assert shares[4][:6].tolist() == pytest.approx([1, 1, 1, 1, 1, 0.6])
    assert shares[5][:2].tolist() == pytest.approx([1 - 1 / 5, 1])


def test_an_event_model_is_read_where_keys_go_down_among_note_ons_alone(tmp_path: Path) -> None:
    model, notes = scorer(Events(), tmp_path), PIECES[1]
    rows = own_rows(Events(), notes)
    words = rows.targets[:, 0]
    (projected,) = projected_before(model, [rows.read])
    (said,) = EventPitch(model).distributions([notes])
    where = np.flatnonzero(words < 128)
    assert words[where].tolist() == notes.pitch.tolist()
    logits = model.heads.outputs(0, model.heads.begin(projected[where[5]], ()), ())
    np.testing.assert_allclose(said[5], softmax(logits[:128]), atol=1e-7)


def test_a_pitch_that_is_told_more_than_the_past_is_refused(tmp_path: Path) -> None:
    told = NoteAttributes(
        (Attribute("velocity", Identity(128)), Attribute("pitch", Identity(128), given=("velocity",)))
    )
    with pytest.raises(ValueError, match="told other attributes"):
        list(NotePitch(scorer(told, tmp_path)).distributions(PIECES))

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_corpora import (
    make_corpus,
    make_network,
    random_performance,
    random_pieces,
    require_training_extra,
    write_checkpoint,
)

from improv_core.errors import ModelFileError, StorageError
from improv_core.notes import Note, Performance
from improv_core.representation import (
    ATTRIBUTE_NAMES,
    ATTRIBUTES,
    Attribute,
    Events,
    Frames,
    NoteAttributes,
    Piano,
    Representation,
    Symbols,
    encode,
    joined,
    start_steps,
    targets,
)
from improv_core.representation.binning import CELL_MS, Grid, Identity
from improv_training.evaluation.baselines import Baselines

with contextlib.suppress(ImportError):
    import torch

    from improv_export.exporting import export_checkpoint
    from improv_training.corpora.corpus import Corpus
    from improv_training.engine.batches import own_rows
    from improv_training.engine.network import Network
    from improv_training.evaluation.figures import Figures, mean_over_corpora, mean_over_notes, write_json
    from improv_training.evaluation.nats import score_corpus
    from improv_training.evaluation.scoring import open_scorer


TIMES = Grid.geometric(96, first=0, single=26, last=1000)
REGRESSING = NoteAttributes(
    (
        Attribute("pitch", Identity(128), form="scalar"),
        Attribute("dt", TIMES, form="scalar", head="regression"),
        Attribute("duration", TIMES, form="scalar", head="regression"),
    )
)
TRAINED_ON = [encode(random_performance(40, seed)) for seed in (50, 51)]
REPRESENTATIONS: dict[str, Representation] = {
    "piano": Piano(),
    "notes": NoteAttributes((Attribute("pitch", Identity(128), form="one-hot"),)),
    "regressing": REGRESSING,
    "symbols": Symbols("pitches", 1).learned(TRAINED_ON),
    "normal-order": Symbols("normal-order", 1).learned(TRAINED_ON),
    "events": Events(),
    "frames": Frames(),
}


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "a.ckpt", make_network())


def figures(name: str, notes: int, model: float, bigram: float) -> Figures:
    rows = {"model": model, "PPM-4": 12.0, "bigram": bigram, "unigram": 15.0}
    nats = {row: (value / 5,) * 5 for row, value in rows.items()}
    return Figures(
        corpus=name,
        pieces=2,
        notes=notes,
        steps=notes,
        tokens=4 * notes,
        seconds=60.0,
        attributes=ATTRIBUTES,
        nats=nats,
        per_step=nats["model"],
        right=(0.5,) * 5,
        width=1.0,
        lost=0.0,
        charge=0.0,
        bits_per_second={row: (value + 1) * notes / math.log(2) / 60 for row, value in rows.items()},
        per_token={row: (value + 1) / 4 for row, value in rows.items()},
        per_piece={row: (value * notes, notes) for row, value in rows.items()},
    )


def nats_of(model: Path, corpus: Corpus) -> np.ndarray:
    learned = make_corpus(random_pieces(2), dict.fromkeys(random_pieces(2), "train"))
    baselines = Baselines.learn([learned], Piano())
    return np.array(score_corpus(open_scorer(model), corpus, "test", baselines).nats["model"])


def test_nats_are_those_of_each_whole_piece_from_an_empty_state(checkpoint: Path) -> None:
    pieces = random_pieces(5, notes=200)
    corpus = make_corpus(pieces, dict.fromkeys(pieces, "test"))
    network, total = make_network(), np.zeros(len(ATTRIBUTES))
    with torch.inference_mode():
        for piece in corpus.pieces("test"):
            rows, start = own_rows(Piano(), piece), start_steps()
            columns = torch.from_numpy(np.concatenate([start.columns, rows.read.columns[:-1]]))[:, None]
            keys = torch.from_numpy(np.concatenate([start.dense, rows.read.dense[:-1]])).float()[:, None]
            projected, _ = network(columns, keys, network.zero_state(1))
            everything = torch.ones(len(piece), 1, dtype=torch.bool)
            wanted = torch.from_numpy(targets(piece))[:, None]
            losses = network.losses(projected, torch.from_numpy(rows.asked)[:, None], wanted, everything)
            total += losses.numpy()
    count = corpus.note_count("test")
    np.testing.assert_allclose(nats_of(checkpoint, corpus), total / count, rtol=1e-5)


def test_a_checkpoint_and_its_exported_model_score_alike(checkpoint: Path, tmp_path: Path) -> None:
    export_checkpoint(checkpoint, tmp_path / "a.onnx", encode(random_performance(20)), {"name": "a"})
    corpus = make_corpus(random_pieces(5), dict.fromkeys(random_pieces(5), "test"))
    by_torch, by_onnx = nats_of(checkpoint, corpus), nats_of(tmp_path / "a.onnx", corpus)
    np.testing.assert_allclose(by_onnx, by_torch, atol=1e-4)


def test_figures_of_a_corpus_are_of_its_split_alone(checkpoint: Path) -> None:
    corpus = make_corpus(random_pieces(4), {"01.mid": "test", "02.mid": "test"})
    done: list[tuple[int, int]] = []
    result = score_corpus(
        open_scorer(checkpoint),
        corpus,
        "test",
        Baselines.learn([corpus], Piano()),
        lambda *at: done.append(at),
    )
    assert (result.corpus, result.pieces, result.notes, result.steps) == ("tiny", 2, 53 + 66, 53 + 66)
    assert (result.lost, result.charge) == (0, 0)
    assert result.per_step == result.nats["model"]
    assert list(result.nats) == ["model", "PPM-4", "bigram", "unigram"]
    assert result.seconds == sum(piece.dt_ms.sum() for piece in corpus.pieces("test")) / 1000
    assert done[-1] == (119, 119)


def score(representation: Representation, tmp_path: Path) -> tuple[Figures, Corpus, Network]:
    """Of the test pieces of a corpus whose others are learned from."""
    network = make_network(representation=representation)
    network.scales.fill_(0.25)
    path = write_checkpoint(tmp_path / "a.ckpt", network)
    corpus = make_corpus(random_pieces(5), {"03.mid": "test", "04.mid": "test"})
    baselines = Baselines.learn([corpus], representation)
    return score_corpus(open_scorer(path), corpus, "test", baselines), corpus, network


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_every_representation_is_scored_step_by_step(name: str, tmp_path: Path) -> None:
    representation = REPRESENTATIONS[name]
    result, corpus, network = score(representation, tmp_path)
    scores, count, notes, lost = np.zeros(len(representation.attributes)), 0, 0, 0
    charge = 0.0
    with torch.inference_mode():
        for piece in corpus.pieces("test"):
            rows = own_rows(representation, piece)
            read = joined([representation.start(), rows.read])[:-1]
            dense = torch.from_numpy(read.dense.astype(np.float32))[:, None]
            projected, _ = network(torch.from_numpy(read.columns)[:, None], dense, network.zero_state(1))
            arrays = (rows.asked, rows.targets, rows.scored)
            scores += network.scores(projected, *(torch.from_numpy(a)[:, None] for a in arrays)).numpy()
            count += int(rows.scored.sum())
            notes += int(rows.notes[rows.scored].sum())
            lost += int(rows.lost.sum())
            charge += rows.charge.sum()
    for i, attribute in enumerate(representation.attributes):
        if attribute.head == "regression":
            assert result.right[i] == pytest.approx(1000 * scores[i] / count, rel=1e-4)
            scores[i] = count * math.log(2 * 250 / CELL_MS) + scores[i] / 0.25
    assert (result.steps, result.notes) == (count, notes)
    assert result.per_step == pytest.approx(tuple(scores / count), rel=1e-4)
    assert result.nats["model"] == pytest.approx(tuple(scores / notes), rel=1e-4)
    assert result.lost == lost / notes
    assert result.charge == pytest.approx(charge / notes)
    assert result.names == tuple(attribute.name for attribute in representation.attributes)


def test_a_vocabulary_that_lacks_most_chords_is_charged_for_them(tmp_path: Path) -> None:
    result, _, _ = score(REPRESENTATIONS["symbols"], tmp_path)
    assert 0.2 < result.lost < 1
    assert result.charge > 1
    assert result.total("model") == sum(result.nats["model"]) + result.charge


def test_baselines_of_a_regressed_time_are_on_the_grid_of_its_own_nats(tmp_path: Path) -> None:
    result, corpus, _ = score(REGRESSING, tmp_path)
    share = Baselines.learn([corpus], REGRESSING).unigram(1)
    times = np.concatenate([piece.dt_ms for piece in corpus.pieces("test")])
    classes = TIMES.bins(times)
    nats = -np.log(share[classes]) + TIMES.log_widths()[classes]
    assert result.nats["unigram"][1] == pytest.approx(nats.mean())
    assert result.width == 0


def test_accuracy_is_the_share_of_likeliest_classes_that_are_true(tmp_path: Path) -> None:
    network = make_network(representation=REPRESENTATIONS["notes"])
    with torch.no_grad():
        network.heads[0].weight.zero_()
        network.heads[0].bias.copy_(torch.arange(128) == 60)
    path = write_checkpoint(tmp_path / "a.ckpt", network)
    notes = [Note(pitch, 64, i * 0.5, 0.25) for i, pitch in enumerate((60, 61, 62, 60, 63))]
    corpus = make_corpus({"a": Performance.of(notes), "b": random_performance(5)}, {"a": "test"})
    baselines = Baselines.learn([corpus], REPRESENTATIONS["notes"])
    result = score_corpus(open_scorer(path), corpus, "test", baselines)
    assert result.right == (pytest.approx(0.4),)
    assert result.nats["model"][0] == pytest.approx(math.log(127 + math.e) - 0.4)


def test_the_difference_is_model_less_bigram() -> None:
    assert sum(figures("a", 10, 10.0, 12.5).difference) == pytest.approx(-2.5)


def test_bits_and_tokens_count_widths_and_what_is_lost() -> None:
    one = replace(figures("a", 10, 10.0, 12.5), charge=0.5)
    assert one.bits("model") == pytest.approx((10.0 + 0.5 + 1.0) / math.log(2))


@pytest.mark.parametrize("name", ["piano", "regressing", "symbols", "events"])
def test_totals_of_pieces_are_those_of_each_piece_alone(name: str, tmp_path: Path) -> None:
    pieces = random_pieces(7, notes=20)
    split = {file: "test" for i, file in enumerate(pieces) if i % 2}
    network = make_network(representation=REPRESENTATIONS[name])
    network.scales.fill_(0.25)
    scorer = open_scorer(write_checkpoint(tmp_path / "a.ckpt", network))
    corpus = make_corpus(pieces, split)
    baselines = Baselines.learn([corpus], REPRESENTATIONS[name])
    result = score_corpus(scorer, corpus, "test", baselines)
    alone = [
        score_corpus(scorer, make_corpus({file: pieces[file]}, {file: "test"}), "test", baselines)
        for file in split
    ]
    for row, totals in result.per_piece.items():
        assert totals == pytest.approx([one.per_piece[row][0] for one in alone], rel=1e-5)
        assert sum(totals) == pytest.approx((result.total(row) + result.width) * result.notes)
        assert result.bits_per_second[row] * result.seconds == pytest.approx(sum(totals) / math.log(2))
        assert result.per_token[row] * result.tokens == pytest.approx(sum(totals))


def test_an_empty_piece_takes_the_nats_of_no_other(tmp_path: Path) -> None:
    pieces = {"a": random_performance(5), "empty": Performance.of([]), "b": random_performance(8, 3)}
    corpus = make_corpus(pieces, dict.fromkeys(pieces, "test"))
    baselines = Baselines.learn([make_corpus(random_pieces(1))], Piano())
    scorer = open_scorer(write_checkpoint(tmp_path / "a.ckpt", make_network()))
    first, empty, last = score_corpus(scorer, corpus, "test", baselines).per_piece["model"]
    for file, total in (("a", first), ("b", last)):
        alone = score_corpus(scorer, make_corpus({file: pieces[file]}, {file: "test"}), "test", baselines)
        assert total == pytest.approx(alone.per_piece["model"][0], rel=1e-5)
    assert empty == 0


def test_tokens_are_those_of_the_words_whatever_the_model_reads(tmp_path: Path) -> None:
    results = {name: score(REPRESENTATIONS[name], tmp_path)[0] for name in ("piano", "events")}
    assert results["piano"].tokens == results["events"].tokens == results["events"].steps


def test_means_weigh_corpora_alike_or_notes_alike() -> None:
    both = [figures("a", 300, 10.0, 12.0), figures("b", 100, 14.0, 15.0)]
    corpora, notes = mean_over_corpora(both), mean_over_notes(both)
    assert sum(corpora.nats["model"]) == pytest.approx(12.0)
    assert sum(corpora.difference) == pytest.approx(-1.5)
    assert sum(notes.nats["model"]) == pytest.approx(11.0)
    assert (notes.pieces, notes.notes, notes.steps, notes.seconds) == (4, 400, 400, 120.0)
    assert notes.tokens == 1600
    assert notes.per_token["model"] == pytest.approx((11.0 + 1) / 4)
    assert corpora.per_token["model"] == pytest.approx((12.0 + 1) / 4)
    assert notes.bits_per_second["model"] * 120 == pytest.approx((11.0 + 1) * 400 / math.log(2))
    assert not notes.per_piece
    assert notes.right == pytest.approx((0.5,) * 5)


def test_what_is_counted_by_steps_is_weighed_by_steps() -> None:
    a, b = figures("a", 300, 10.0, 12.0), figures("b", 100, 14.0, 15.0)
    a, b = replace(a, steps=100), replace(b, steps=100, right=(1.0,) * 5, lost=0.4, charge=0.8)
    mean = mean_over_notes([a, b])
    assert mean.right == pytest.approx((0.75,) * 5)
    assert sum(mean.per_step) == pytest.approx(12.0)
    assert (mean.lost, mean.charge) == (pytest.approx(0.1), pytest.approx(0.2))


def test_what_is_lost_is_charged_to_every_row_and_to_each_step() -> None:
    one = replace(figures("a", 300, 10.0, 12.0), steps=100, per_step=(6.0,) * 5, charge=0.5)
    assert (one.total("model"), one.total("bigram"), one.total("unigram")) == (10.5, 12.5, 15.5)
    assert sum(one.difference) == pytest.approx(-2.0)
    assert one.total_per_step == 30.0 + 1.5


def test_json_holds_every_figure(tmp_path: Path) -> None:
    one = figures("a", 10, 10.0, 12.5)
    write_json([one], [mean_over_corpora([one])], "test", tmp_path / "f.json")
    table = json.loads((tmp_path / "f.json").read_text())
    assert table["split"] == "test"
    assert table["corpora"][0]["corpus"] == "a"
    assert list(table["corpora"][0]["nats_per_note"]["model"]) == [*ATTRIBUTE_NAMES, "sum"]
    assert table["corpora"][0]["accuracy"] == dict.fromkeys(ATTRIBUTE_NAMES, 0.5)
    assert table["corpora"][0]["tokens"] == 40
    assert table["corpora"][0]["bits_per_note"]["model"] == round(11 / math.log(2), 4)
    assert table["corpora"][0]["bits_per_second"]["unigram"] == round(160 / math.log(2) / 60, 4)
    assert table["corpora"][0]["nats_per_token"]["model"] == 2.75
    assert table["corpora"][0]["nats_of_each_piece"]["bigram"] == [125.0, 10]
    assert table["means"][0]["nats_of_each_piece"] == {}
    assert table["means"][0]["nats_per_note"]["model_less_bigram"]["sum"] == -2.5


def test_json_holds_what_is_lost_and_errors_of_regressed_times(tmp_path: Path) -> None:
    one = replace(
        figures("a", 10, 10.0, 12.5),
        attributes=REGRESSING.attributes,
        nats={"model": (3.0, 4.0, 5.0), "bigram": (4.0, 4.0, 5.0), "unigram": (5.0, 4.0, 5.0)},
        per_step=(3.0, 4.0, 5.0),
        right=(0.25, 120.04, 300.0),
        lost=0.125,
        charge=0.5,
    )
    write_json([one], [], "test", tmp_path / "f.json")
    (corpus,) = json.loads((tmp_path / "f.json").read_text())["corpora"]
    assert corpus["accuracy"] == {"pitch": 0.25}
    assert corpus["mean_error_ms"] == {"dt": 120.0, "duration": 300.0}
    assert (corpus["lost"], corpus["charge"]) == (0.125, 0.5)
    assert [corpus["nats_per_note"][row]["sum"] for row in one.nats] == [12.5, 13.5, 14.5]
    assert corpus["nats_per_step"]["sum"] == 12.5


def test_json_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no/f\.json cannot be written \(No such file or directory\)\."):
        write_json([], [], "test", tmp_path / "no" / "f.json")


def test_a_model_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    for name in ("a.ckpt", "a.onnx"):
        (tmp_path / name).write_bytes(b"noise")
        with pytest.raises(ModelFileError, match=name):
            open_scorer(tmp_path / name)

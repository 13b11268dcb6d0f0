from __future__ import annotations

import contextlib
import json
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
from improv_core.notes import Part
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, encode, start_steps, steps, targets
from improv_training.baselines import Baselines

with contextlib.suppress(ImportError):
    import torch

    from improv_export.exporting import export_checkpoint
    from improv_training.evaluation import (
        Figures,
        mean_over_corpora,
        mean_over_notes,
        model_nats,
        open_scorer,
        score_corpus,
        write_json,
    )


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "a.ckpt", make_network())


def figures(name: str, notes: int, model: float, bigram: float) -> Figures:
    nats = {row: (value / 5,) * 5 for row, value in (("model", model), ("bigram", bigram), ("unigram", 15.0))}
    return Figures(name, 2, notes, 60.0, nats, width=1.0)


def test_nats_are_those_of_each_whole_piece_from_an_empty_state(checkpoint: Path) -> None:
    pieces = random_pieces(5, notes=200)
    corpus = make_corpus(pieces, dict.fromkeys(pieces, "test"))
    network, total = make_network(), np.zeros(len(ATTRIBUTES))
    with torch.inference_mode():
        for piece in corpus.pieces("test"):
            part = np.full(len(piece), int(Part.IMPROV))
            read, start = steps(piece, part), start_steps()
            columns = torch.from_numpy(np.concatenate([start.columns, read.columns[:-1]]))[:, None]
            keys = torch.from_numpy(np.concatenate([start.keys, read.keys[:-1]])).float()[:, None]
            projected, _ = network(columns, keys, network.zero_state(1))
            everything = torch.ones(len(piece), 1, dtype=torch.bool)
            wanted = torch.from_numpy(targets(piece))[:, None]
            losses = network.losses(projected, torch.from_numpy(part)[:, None], wanted, everything)
            total += losses.numpy() * len(piece)
    nats, count = model_nats(open_scorer(checkpoint), corpus, "test")
    assert count == corpus.note_count("test")
    np.testing.assert_allclose(nats, total / count, rtol=1e-5)


def test_a_checkpoint_and_its_exported_model_score_alike(checkpoint: Path, tmp_path: Path) -> None:
    export_checkpoint(checkpoint, tmp_path / "a.onnx", encode(random_performance(20)), {"name": "a"})
    corpus = make_corpus(random_pieces(5), dict.fromkeys(random_pieces(5), "test"))
    by_torch, _ = model_nats(open_scorer(checkpoint), corpus, "test")
    by_onnx, _ = model_nats(open_scorer(tmp_path / "a.onnx"), corpus, "test")
    np.testing.assert_allclose(by_onnx, by_torch, atol=1e-4)


def test_figures_of_a_corpus_are_of_its_split_alone(checkpoint: Path) -> None:
    corpus = make_corpus(random_pieces(4), {"01.mid": "test", "02.mid": "test"})
    done: list[tuple[int, int]] = []
    result = score_corpus(
        open_scorer(checkpoint), corpus, "test", Baselines.learn([corpus]), lambda *at: done.append(at)
    )
    assert (result.corpus, result.pieces, result.notes) == ("tiny", 2, 53 + 66)
    assert list(result.nats) == ["model", "bigram", "unigram"]
    assert result.seconds == sum(piece.dt_ms.sum() for piece in corpus.pieces("test")) / 1000
    assert done[-1] == (119, 119)


def test_the_difference_is_model_less_bigram() -> None:
    assert sum(figures("a", 10, 10.0, 12.5).difference) == pytest.approx(-2.5)


def test_means_weigh_corpora_alike_or_notes_alike() -> None:
    both = [figures("a", 300, 10.0, 12.0), figures("b", 100, 14.0, 15.0)]
    corpora, notes = mean_over_corpora(both), mean_over_notes(both)
    assert sum(corpora.nats["model"]) == pytest.approx(12.0)
    assert sum(corpora.difference) == pytest.approx(-1.5)
    assert sum(notes.nats["model"]) == pytest.approx(11.0)
    assert (notes.pieces, notes.notes, notes.seconds) == (4, 400, 120.0)


def test_json_holds_every_figure(tmp_path: Path) -> None:
    one = figures("a", 10, 10.0, 12.5)
    write_json([one], [mean_over_corpora([one])], "test", tmp_path / "f.json")
    table = json.loads((tmp_path / "f.json").read_text())
    assert table["split"] == "test"
    assert table["corpora"][0]["corpus"] == "a"
    assert list(table["corpora"][0]["nats_per_note"]["model"]) == [*ATTRIBUTE_NAMES, "sum"]
    assert table["means"][0]["nats_per_note"]["model_less_bigram"]["sum"] == -2.5


def test_json_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no/f\.json cannot be written \(No such file or directory\)\."):
        write_json([], [], "test", tmp_path / "no" / "f.json")


def test_a_model_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    for name in ("a.ckpt", "a.onnx"):
        (tmp_path / name).write_bytes(b"noise")
        with pytest.raises(ModelFileError, match=name):
            open_scorer(tmp_path / name)

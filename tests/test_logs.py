from __future__ import annotations

import contextlib
import importlib.util
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from conftest import require
from tiny_corpora import make_corpus, random_pieces, require_training_extra
from training_runs import gone_on_with, logged, plan

with contextlib.suppress(ImportError):
    import torch

    from improv_training.engine.trainer import train


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    require_training_extra()
    torch.set_num_threads(1)


def run(folder: Path, updates: int, resume: Any = None) -> None:
    corpus = make_corpus(random_pieces(8), {"01.mid": "validation", "06.mid": "validation"})
    chosen = plan(updates=updates, validate_every=10)
    train([corpus], [1], folder, chosen, resume=resume, say=lambda line: None)


def test_the_table_has_the_training_loss_at_every_twentieth_update_and_each_validation(
    tmp_path: Path,
) -> None:
    run(tmp_path, 40)
    assert logged(tmp_path, "step") == [10, 20, 20, 30, 40, 40]
    assert len(logged(tmp_path, "train")) == 2
    for name in ("val", "val_dt", "val_pedal", "val_pitch", "val_velocity", "val_duration"):
        assert len(logged(tmp_path, name)) == 4
    epochs = logged(tmp_path, "epoch")
    assert epochs == sorted(epochs)
    assert epochs[0] == 1
    assert epochs[-1] > 1


def scalars(folder: Path, name: str) -> list[tuple[int, float]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own libraries
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(folder))
        events.Reload()
        return [(one.step, pytest.approx(one.value)) for one in events.Scalars(name)]


def test_tensorboard_gets_the_same_curves_over_a_resumption(tmp_path: Path) -> None:
    require(importlib.util.find_spec("tensorboard"), "no tensorboard: pip install -e '.[train]'")
    run(tmp_path, 20)
    run(tmp_path, 40, gone_on_with(tmp_path, updates=40, validate_every=10))
    assert scalars(tmp_path / "log", "train") == list(zip((20, 40), logged(tmp_path, "train"), strict=True))
    steps = (10, 20, 30, 40)
    assert scalars(tmp_path / "log", "val") == list(zip(steps, logged(tmp_path, "val"), strict=True))


def test_without_tensorboard_there_is_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    run(tmp_path, 1)
    assert [path.name for path in (tmp_path / "log").iterdir()] == ["metrics.csv"]

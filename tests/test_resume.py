"""A run that was interrupted and gone on with is the run that was not."""

from __future__ import annotations

import contextlib
import csv
import signal
from pathlib import Path
from typing import Any

import pytest
from tiny_corpora import make_corpus, random_pieces, require_training_extra
from training_runs import Callback, Losses, plan

from improv_core.representation import Piano, Symbols
from improv_training.shape import Shape

with contextlib.suppress(ImportError):
    import torch

    from improv_training.engine.checkpoints import load_checkpoint
    from improv_training.engine.trainer import train

UPDATES, EVERY = 32, 7


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    require_training_extra()
    torch.set_num_threads(1)


class SignalAfter(Callback):
    """SIGTERM after so many updates."""

    def __init__(self, updates: int) -> None:
        self._updates = updates

    def on_train_batch_end(self, trainer: Any, *_: object) -> None:
        if trainer.global_step == self._updates:
            signal.raise_signal(signal.SIGTERM)


def corpus() -> Any:
    return make_corpus(random_pieces(8), {"01.mid": "validation", "06.mid": "validation"})


def chosen_plan(kind: str, *, stateful: bool) -> Any:
    symbols = Symbols("pitches", min_count=1)
    representation = {"piano": Piano(), "symbols": symbols}[kind].learned(corpus().pieces("train"))
    shape = Shape(inputs=16, hidden=24, layers=2, projected=16, dropout=0.3)
    sizes = {"updates": UPDATES, "validate_every": EVERY, "shape": shape, "stateful": stateful}
    return plan(**sizes, representation=representation.spec(), patience=4)


def log(run: Path) -> list[dict[str, str]]:
    with (run / "log" / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("stateful", [True, False])
@pytest.mark.parametrize("kind", ["piano", "symbols"])
def test_a_resumed_run_has_the_losses_the_weights_and_the_log_of_an_unbroken_one(
    tmp_path: Path, kind: str, stateful: bool
) -> None:
    chosen, whole = chosen_plan(kind, stateful=stateful), Losses()
    assert train([corpus()], [1], tmp_path / "whole", chosen, callbacks=[whole]).updates == UPDATES
    passes = [place.passes for place in whole.places]
    assert passes[-1] >= 1
    last_of_a_pass = passes.index(1) + 1
    last = tmp_path / "whole" / "last.ckpt"
    expected = torch.load(last, weights_only=True)["state_dict"]
    for updates in (3, EVERY, last_of_a_pass, 2 * EVERY + 5):
        run, losses = tmp_path / f"{updates}", Losses()
        ended = train([corpus()], [1], run, chosen, callbacks=[losses, SignalAfter(updates)])
        assert (ended.updates, ended.status) == (updates, 143)
        kept = load_checkpoint(run / "last.ckpt")
        assert (kept.updates, kept.position) == (updates, whole.places[updates - 1])
        assert train([corpus()], [1], run, chosen, callbacks=[losses], resume=kept).updates == UPDATES
        assert losses.losses == whole.losses
        assert losses.places == whole.places
        found = torch.load(run / "last.ckpt", weights_only=True)["state_dict"]
        for name, value in expected.items():
            assert torch.equal(found[name], value), name
        assert log(run) == log(tmp_path / "whole")


def test_what_a_killed_run_has_logged_beyond_its_last_checkpoint_is_logged_once(tmp_path: Path) -> None:
    chosen = chosen_plan("piano", stateful=True)
    train([corpus()], [1], tmp_path, chosen)
    rows = log(tmp_path)
    kept_at_14 = tmp_path / "kept"
    train([corpus()], [1], kept_at_14, chosen, callbacks=[SignalAfter(14)])
    (tmp_path / "last.ckpt").write_bytes((kept_at_14 / "last.ckpt").read_bytes())
    train([corpus()], [1], tmp_path, chosen, resume=load_checkpoint(tmp_path / "last.ckpt"))
    assert log(tmp_path) == rows

from __future__ import annotations

import contextlib
import io
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from tiny_corpora import make_corpus, random_pieces, require_training_extra, scale
from training_runs import Losses, gone_on_with, logged, plan, weights

from improv_core.errors import DataError
from improv_training.augment import Augmentation
from improv_training.shape import Shape

with contextlib.suppress(ImportError):
    import torch

    from improv_core.representation import from_spec
    from improv_training.engine.batches import LaneBatches
    from improv_training.engine.checkpoints import load_checkpoint
    from improv_training.engine.trainer import VALIDATION, Outcome, train
    from improv_training.progress import train_in_console


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    require_training_extra()
    torch.set_num_threads(1)


class Listener:
    """What was said; ``at`` is called with each sentence."""

    def __init__(self, at: Callable[[str], None] = lambda line: None) -> None:
        self.lines: list[str] = []
        self._at = at

    def __call__(self, sentence: str) -> None:
        self.lines.append(sentence)
        self._at(sentence)


def corpus() -> Any:
    return make_corpus(random_pieces(8), {"01.mid": "validation", "06.mid": "validation"})


def run(
    folder: Path, *, say: Callable[[str], None] = lambda line: None, resume: Any = None, **changes: Any
) -> Outcome:
    chosen = plan(**changes) if resume is None else resume.plan
    return train([corpus()], [1], folder, chosen, say=say, resume=resume)


def validation_nats(path: Path, corpora: Sequence[Any]) -> float:
    """Nats a step of a checkpoint's weights."""
    checkpoint = load_checkpoint(path)
    network, total, count = checkpoint.network, 0.0, 0
    representation = from_spec(checkpoint.plan.representation)
    state = network.zero_state(VALIDATION.lanes)
    with torch.inference_mode():
        for batch in LaneBatches(corpora, [1] * len(corpora), "validation", representation, VALIDATION):
            alive = (~batch.fresh).float()[None, :, None]
            hidden, cell = (part * alive for part in state)
            projected, state = network(batch.columns, batch.dense.float(), (hidden, cell))
            sums = network.scores(projected, batch.asked, batch.targets, batch.mask)
            total, count = total + float(sums.sum()), count + int(batch.mask.sum())
    return total / count


def test_one_seed_and_number_of_updates_give_the_same_weights(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run(tmp_path / name).updates == 6
    first, second = (weights(tmp_path / name) for name in ("one", "two"))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    run(tmp_path / "one", updates=1)
    run(tmp_path / "two", updates=1, seed=2)
    first, second = (weights(tmp_path / name)["projection.weight"] for name in ("one", "two"))
    assert not torch.equal(first, second)


def test_a_repetitive_corpus_is_learned(tmp_path: Path) -> None:
    tune = make_corpus({f"{i}": scale(200) for i in range(4)}, {"3": "validation"})
    as_written = Augmentation(transpose_down=0, transpose_up=0, tempo=0, velocity=0)
    shape = Shape(inputs=32, hidden=64, layers=1, projected=64, dropout=0)
    chosen = plan(updates=400, validate_every=400, rate=1e-2, shape=shape, augmentation=as_written)
    train([tune], [1], tmp_path, chosen, say=Listener())
    assert validation_nats(tmp_path / "best.ckpt", [tune]) < 0.5


def test_every_note_of_the_validation_split_is_scored_once_however_often_its_corpus_repeats(
    tmp_path: Path,
) -> None:
    train([corpus()], [3], tmp_path, plan(), say=Listener())
    assert logged(tmp_path, "val_steps") == [corpus().note_count("validation")] * 2


def test_the_best_checkpoint_scores_as_it_did_in_validation(tmp_path: Path) -> None:
    run(tmp_path)
    nats = validation_nats(tmp_path / "best.ckpt", [corpus()])
    assert nats == pytest.approx(min(logged(tmp_path, "val")), abs=1e-4)


def test_each_validation_is_a_line_and_nothing_else_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = Listener()
    assert run(tmp_path, say=heard) == Outcome(updates=6)
    pattern = (
        r"Epoch \d+, update [36], 0\.00 h: \d+\.\d{3} nats a step in validation( \(best so far\))?, "
        r"\d+\.\d{3} in training"
    )
    assert len(heard.lines) == 2
    for line in heard.lines:
        assert re.fullmatch(pattern, line), line
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_terminal_gets_one_bar_without_made_up_totals(tmp_path: Path) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=120)
    train_in_console([corpus()], [1], tmp_path, plan(updates=12), console)
    output = file.getvalue()
    assert "Epoch 1" in output
    assert "100%" in output
    assert "/-" not in output


def test_what_is_no_terminal_gets_the_lines_alone(tmp_path: Path) -> None:
    file = io.StringIO()
    train_in_console([corpus()], [1], tmp_path, plan(), Console(file=file, width=60))
    lines = file.getvalue().splitlines()
    assert [line.split(",")[1] for line in lines] == [" update 3", " update 6"]


def test_hours_end_a_run_with_a_validation(tmp_path: Path) -> None:
    heard = Listener()
    outcome = run(tmp_path, say=heard, updates=None, hours=1e-6, validate_every=1000)
    assert outcome == Outcome(updates=1)
    assert len(heard.lines) == 1
    assert (tmp_path / "best.ckpt").is_file()


def test_epochs_end_a_run_after_whole_passes(tmp_path: Path) -> None:
    losses = Losses()
    train([corpus()], [1], tmp_path, plan(updates=None, epochs=2), say=Listener(), callbacks=[losses])
    assert load_checkpoint(tmp_path / "last.ckpt").position.passes == 2
    passes = [place.passes for place in losses.places]
    assert passes == sorted(passes)
    assert (passes.count(2), passes[-1], set(passes)) == (1, 2, {0, 1, 2})


def test_without_a_better_figure_training_stops_early(tmp_path: Path) -> None:
    heard = Listener()
    outcome = run(tmp_path, say=heard, updates=300, patience=2, rate=0.5, average=0.0, schedule="constant")
    best = max(i for i, line in enumerate(heard.lines) if "best so far" in line)
    assert len(heard.lines) == best + 1 + 2
    assert outcome == Outcome(updates=3 * len(heard.lines))
    assert outcome.updates < 300


def test_patience_outlives_a_resumption(tmp_path: Path) -> None:
    options = {"patience": 2, "rate": 0.5, "average": 0.0, "schedule": "constant"}
    whole = Listener()
    run(tmp_path / "whole", say=whole, updates=300, **options)
    parts = Listener(interrupt_at_validation)
    broken = tmp_path / "broken"
    run(broken, say=parts, updates=300, **options)
    while run(broken, say=parts, resume=gone_on_with(broken, updates=300, **options)).interrupted:
        assert len(parts.lines) < 3 * len(whole.lines)
    figures = [re.sub(r" \d\.\d\d h", "", line) for line in parts.lines if line.startswith("Epoch")]
    assert figures == [re.sub(r" \d\.\d\d h", "", line) for line in whole.lines]


def test_a_training_that_goes_wrong_says_so_and_keeps_what_was_good(tmp_path: Path) -> None:
    run(tmp_path, updates=3)
    with pytest.raises(DataError) as error:
        run(tmp_path, resume=gone_on_with(tmp_path, updates=60, rate=1e30, clip=1e30))
    assert re.fullmatch(
        r"Training has gone wrong before update \d+: the validation figure is not a number; begin again with "
        r"a lower rate\.",
        str(error.value),
    )
    assert all(torch.isfinite(value).all() for value in weights(tmp_path).values())


def test_best_so_far_outlives_a_resumption(tmp_path: Path) -> None:
    run(tmp_path, updates=60, validate_every=60, rate=1e-2)
    best = min(logged(tmp_path, "val"))
    heard = Listener()
    run(tmp_path, resume=gone_on_with(tmp_path, updates=120, validate_every=60, rate=100.0), say=heard)
    assert "best so far" not in heard.lines[0]
    assert validation_nats(tmp_path / "best.ckpt", [corpus()]) == pytest.approx(best, abs=1e-3)


def interrupt_at_validation(line: str) -> None:
    if "validation" in line and "Stopping" not in line:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_the_latest_weights_and_the_way_back(tmp_path: Path, number: int, status: int) -> None:
    before = signal.getsignal(number)
    heard = Listener(lambda line: signal.raise_signal(number) if "nats" in line else None)
    outcome = run(tmp_path, say=heard, updates=100)
    assert (outcome.updates, outcome.interrupted, outcome.status) == (3, True, status)
    assert heard.lines[1:] == [
        "Stopping; Ctrl-C again stops at once and loses what came after the last checkpoint."
    ]
    assert signal.getsignal(number) is before
    assert load_checkpoint(tmp_path / "last.ckpt").updates == 3
    assert run(tmp_path, resume=gone_on_with(tmp_path, updates=8)) == Outcome(updates=8)
    assert Outcome(8).status == 0


def test_ctrl_c_twice_stops_at_once_and_keeps_the_last_validation(tmp_path: Path) -> None:
    def twice(line: str) -> None:
        if "update 6" in line:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, say=Listener(twice), updates=100)
    assert signal.getsignal(signal.SIGINT) is before
    assert load_checkpoint(tmp_path / "last.ckpt").updates == 3


@pytest.mark.parametrize("missing", ["train", "validation"])
def test_a_split_without_pieces_is_an_error(tmp_path: Path, missing: str) -> None:
    only = {"train": "validation", "validation": "train"}[missing]
    pieces = random_pieces(3)
    with pytest.raises(DataError, match=f"no piece in the {missing} split: three MIDI files"):
        train([make_corpus(pieces, dict.fromkeys(pieces, only))], [1], tmp_path, plan())


def test_the_average_is_of_the_weights_not_the_weights(tmp_path: Path) -> None:
    run(tmp_path)
    stored = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    name = "projection.weight"
    average, latest = (stored[f"{prefix}{name}"].numpy() for prefix in ("average.module.", "network."))
    assert np.abs(average - latest).max() > 0
    np.testing.assert_array_equal(weights(tmp_path)[name].numpy(), average)


def test_without_an_average_the_latest_weights_are_kept(tmp_path: Path) -> None:
    run(tmp_path, average=0.0)
    latest = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    for name, value in weights(tmp_path).items():
        assert torch.equal(value, latest[f"network.{name}"]), name


def test_training_begins_with_the_weights_that_are_given(tmp_path: Path) -> None:
    run(tmp_path / "first", updates=3)
    given = weights(tmp_path / "first")
    train(
        [corpus()],
        [1],
        tmp_path / "second",
        plan(updates=1, rate=0.0, weight_decay=0.0),
        say=Listener(),
        initial=given,
    )
    for name, value in weights(tmp_path / "second").items():
        assert torch.equal(value, given[name]), name

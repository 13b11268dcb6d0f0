from __future__ import annotations

import contextlib
import csv
import io
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from tiny_corpora import make_corpus, random_pieces, require_training_extra, scale

from improv_core.errors import DataError
from improv_training.augment import Augmentation
from improv_training.plan import Plan
from improv_training.shape import Shape

with contextlib.suppress(ImportError):
    import torch

    from improv_training.checkpoints import load_checkpoint
    from improv_training.evaluation import model_nats, open_scorer
    from improv_training.trainer import Outcome, train


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    require_training_extra()
    torch.set_num_threads(1)


class Screen(Console):
    """What was printed, a line each; ``at`` is called with each line."""

    def __init__(self, at: Callable[[str], None] = lambda line: None) -> None:
        super().__init__(file=io.StringIO(), width=200)
        self.lines: list[str] = []
        self._at = at

    def print(self, *objects: Any, **options: Any) -> None:
        self.lines.append(str(objects[0]))
        self._at(self.lines[-1])


def plan(**changes: Any) -> Plan:
    shape = Shape(inputs=16, hidden=24, layers=2, projected=16)
    defaults = {"lanes": 2, "chunk": 16, "updates": 6, "validate_every": 3, "shape": shape}
    return Plan(**{**defaults, **changes})


def corpus() -> Any:
    pieces = random_pieces(8)
    return make_corpus(pieces, {"01.mid": "validation", "06.mid": "validation"})


def run(folder: Path, *, screen: Screen | None = None, resume: Any = None, **changes: Any) -> Outcome:
    chosen = plan(**changes) if resume is None else resume.plan
    return train([corpus()], [1], folder, chosen, screen or Screen(), resume=resume)


def logged(folder: Path, column: str) -> list[float]:
    (path,) = folder.glob("log/version_0/metrics.csv")
    with path.open() as file:
        return [float(row[column]) for row in csv.DictReader(file) if row[column]]


def weights(path: Path) -> dict[str, Any]:
    return load_checkpoint(path).network.state_dict()


def test_one_seed_and_number_of_updates_give_the_same_weights(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run(tmp_path / name).updates == 6
    first, second = (weights(tmp_path / name / "last.ckpt") for name in ("one", "two"))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    run(tmp_path / "one", updates=1)
    run(tmp_path / "two", updates=1, seed=2)
    first, second = (weights(tmp_path / name / "last.ckpt")["projection.weight"] for name in ("one", "two"))
    assert not torch.equal(first, second)


def test_a_repetitive_corpus_is_learned(tmp_path: Path) -> None:
    tune = make_corpus({f"{i}": scale(200) for i in range(4)}, {"3": "validation"})
    as_written = Augmentation(transpose_down=0, transpose_up=0, tempo=0, velocity=0)
    shape = Shape(inputs=32, hidden=64, layers=1, projected=64, dropout=0)
    chosen = plan(updates=200, validate_every=200, rate=1e-2, shape=shape, augmentation=as_written)
    train([tune], [1], tmp_path, chosen, Screen())
    nats, _ = model_nats(open_scorer(tmp_path / "best.ckpt"), tune, "validation")
    assert nats.sum() < 0.5, nats


def test_every_note_of_the_validation_split_is_scored_once_however_often_its_corpus_repeats(
    tmp_path: Path,
) -> None:
    train([corpus()], [3], tmp_path, plan(), Screen())
    assert logged(tmp_path, "val_notes") == [corpus().note_count("validation")] * 2


def test_the_best_checkpoint_scores_as_it_did_in_validation(tmp_path: Path) -> None:
    run(tmp_path)
    nats, _ = model_nats(open_scorer(tmp_path / "best.ckpt"), corpus(), "validation")
    assert nats.sum() == pytest.approx(min(logged(tmp_path, "val")), abs=0.02)  # half precision


def test_each_validation_is_a_line_and_nothing_else_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    screen = Screen()
    assert run(tmp_path, screen=screen) == Outcome(updates=6, interrupted=False)
    pattern = (
        r"Epoch \d+, update [36], 0\.00 h: \d+\.\d{3} nats a note in validation( \(best so far\))?, "
        r"\d+\.\d{3} in training"
    )
    assert len(screen.lines) == 2
    for line in screen.lines:
        assert re.fullmatch(pattern, line), line
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_terminal_gets_one_bar_without_made_up_totals(tmp_path: Path) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=120)
    train([corpus()], [1], tmp_path, plan(updates=12), console)
    output = file.getvalue()
    assert "Epoch 1" in output
    assert "100%" in output
    assert "/-" not in output


def test_hours_end_a_run_with_a_validation(tmp_path: Path) -> None:
    screen = Screen()
    outcome = run(tmp_path, screen=screen, updates=None, hours=1e-6, validate_every=1000)
    assert outcome == Outcome(updates=1, interrupted=False)
    assert len(screen.lines) == 1
    assert (tmp_path / "best.ckpt").is_file()


def test_a_resumed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    run(tmp_path, updates=5)
    before = load_checkpoint(tmp_path / "last.ckpt")
    longer = type(before)(before.network, plan(updates=11), before.hours, before.updates)
    assert run(tmp_path, resume=longer).updates == 11
    after = load_checkpoint(tmp_path / "last.ckpt")
    assert (before.updates, after.updates) == (5, 11)
    assert after.hours > before.hours
    assert after.plan == plan(updates=11)


def test_best_so_far_outlives_a_resumption(tmp_path: Path) -> None:
    run(tmp_path, updates=60, validate_every=60, rate=1e-2)
    best = min(logged(tmp_path, "val"))
    before = load_checkpoint(tmp_path / "last.ckpt")
    plan_worse = plan(updates=120, validate_every=60, rate=100.0)
    worse = type(before)(before.network, plan_worse, before.hours, before.updates)
    screen = Screen()
    run(tmp_path, resume=worse, screen=screen)
    assert "best so far" not in screen.lines[0]
    nats, _ = model_nats(open_scorer(tmp_path / "best.ckpt"), corpus(), "validation")
    assert nats.sum() == pytest.approx(best, abs=0.05)


def interrupt_at_validation(line: str) -> None:
    if "validation" in line and "Stopping" not in line:
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_keeps_the_latest_weights_and_the_way_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    screen = Screen(interrupt_at_validation)
    assert run(tmp_path, screen=screen, updates=100) == Outcome(updates=3, interrupted=True)
    assert screen.lines[1].startswith("Stopping; Ctrl-C again stops at once")
    assert signal.getsignal(signal.SIGINT) is before
    kept = load_checkpoint(tmp_path / "last.ckpt")
    assert kept.updates == 3
    done = type(kept)(kept.network, plan(updates=8), kept.hours, kept.updates)
    assert run(tmp_path, resume=done) == Outcome(updates=8, interrupted=False)


def test_ctrl_c_twice_stops_at_once_and_keeps_the_last_validation(tmp_path: Path) -> None:
    def twice(line: str) -> None:
        if "update 6" in line:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, screen=Screen(twice), updates=100)
    assert signal.getsignal(signal.SIGINT) is before
    assert load_checkpoint(tmp_path / "last.ckpt").updates in (3, 6)


@pytest.mark.parametrize("missing", ["train", "validation"])
def test_a_split_without_pieces_is_an_error(tmp_path: Path, missing: str) -> None:
    only = {"train": "validation", "validation": "train"}[missing]
    pieces = random_pieces(3)
    with pytest.raises(DataError, match=f"no piece in the {missing} split; name another folder or --splits"):
        train([make_corpus(pieces, dict.fromkeys(pieces, only))], [1], tmp_path, plan(), Screen())


def test_the_average_is_of_the_weights_not_the_weights(tmp_path: Path) -> None:
    run(tmp_path)
    stored = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    name = "projection.weight"
    average, latest = (stored[f"{prefix}{name}"].numpy() for prefix in ("average.module.", "network."))
    assert np.abs(average - latest).max() > 0
    np.testing.assert_array_equal(weights(tmp_path / "last.ckpt")[name].numpy(), average)

from __future__ import annotations

import contextlib
import os
import resource
from pathlib import Path
from typing import Any

import pytest
from tiny_corpora import make_corpus, random_pieces, require_training_extra
from training_runs import Callback, gone_on_with, plan

from improv_core.errors import StorageError

with contextlib.suppress(ImportError):
    import torch

    from improv_training.engine.checkpoints import load_checkpoint
    from improv_training.engine.keeping import WholeFiles, remove_partial
    from improv_training.engine.trainer import train


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    require_training_extra()
    torch.set_num_threads(1)


def corpus() -> Any:
    return make_corpus(random_pieces(8), {"01.mid": "validation", "06.mid": "validation"})


class Updates(Callback):
    """Which update ``last.ckpt`` is of, after each update."""

    def __init__(self, run: Path) -> None:
        self._path = run / "last.ckpt"
        self.kept: list[int] = []

    def on_train_batch_start(self, *_: object) -> None:
        self.kept.append(load_checkpoint(self._path).updates if self._path.exists() else 0)


def test_a_checkpoint_is_due_after_a_time_whatever_the_validations_are(tmp_path: Path) -> None:
    kept = Updates(tmp_path)
    train([corpus()], [1], tmp_path, plan(updates=5, checkpoint_every_s=0.0), callbacks=[kept])
    assert kept.kept == [0, 1, 2, 3, 4]


def test_without_time_between_them_checkpoints_are_those_of_validations(tmp_path: Path) -> None:
    kept = Updates(tmp_path)
    train([corpus()], [1], tmp_path, plan(updates=7), callbacks=[kept])
    assert kept.kept == [0, 0, 0, 3, 3, 3, 6]


def test_a_validation_that_is_not_better_is_kept_as_the_latest_but_not_as_the_best(tmp_path: Path) -> None:
    train([corpus()], [1], tmp_path, plan(updates=3))
    worse = gone_on_with(tmp_path, updates=6, average=0.0, rate=100.0)
    train([corpus()], [1], tmp_path, worse.plan, resume=worse)
    assert load_checkpoint(tmp_path / "last.ckpt").updates == 6
    assert load_checkpoint(tmp_path / "best.ckpt").updates == 3


def test_a_checkpoint_takes_the_place_of_the_one_before_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    WholeFiles().save_checkpoint({"a": 1}, path)
    before = path.stat().st_ino
    WholeFiles().save_checkpoint({"a": 2}, path)
    assert path.stat().st_ino != before
    assert torch.load(path) == {"a": 2}
    assert os.listdir(tmp_path) == ["a.ckpt"]  # noqa: PTH208


@contextlib.contextmanager
def files_of_at_most(size: int) -> Any:
    """As on a disk that has no room for more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_without_room_for_a_checkpoint_there_is_one_sentence_and_the_one_before_is_whole(
    tmp_path: Path,
) -> None:
    train([corpus()], [1], tmp_path, plan(updates=3))
    going_on = gone_on_with(tmp_path, updates=9)
    with files_of_at_most(20_000), pytest.raises(StorageError) as error:
        train([corpus()], [1], tmp_path, plan(updates=9), resume=going_on)
    assert str(error.value) == (
        f"{tmp_path} cannot be written (File too large); what was kept before is whole: when there is room, "
        "go on with --resume."
    )
    assert load_checkpoint(tmp_path / "last.ckpt").updates == 3
    assert not list(tmp_path.glob("*.part"))
    assert train([corpus()], [1], tmp_path, plan(updates=9), resume=going_on).updates == 9


def test_without_room_from_the_beginning_there_is_one_sentence_and_nothing_to_go_on_from(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with files_of_at_most(10), pytest.raises(StorageError) as error:
        train([corpus()], [1], tmp_path, plan(updates=3), say=lambda sentence: None)
    assert str(error.value) == (
        f"{tmp_path} cannot be written (File too large); nothing was kept yet: make room, or name another "
        "folder, and begin again."
    )
    assert capfd.readouterr() == ("", "")


def test_what_a_killed_process_left_half_written_is_taken_away(tmp_path: Path) -> None:
    for name in ("last.ckpt", "last.ckpt.12.part", "best.ckpt.7.part", "notes.part"):
        (tmp_path / name).write_bytes(b"")
    remove_partial(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.ckpt", "notes.part"]

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from tiny_corpora import make_network, require_training_extra, write_checkpoint

from improv_core.errors import ModelFileError
from improv_training.plan import Plan
from improv_training.shape import Shape

with contextlib.suppress(ImportError):
    import torch

    from improv_training.engine.batches import Position
    from improv_training.engine.checkpoints import CHECKPOINT_VERSION, load_checkpoint


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def test_a_checkpoint_gives_the_averaged_weights_ready_for_use(tmp_path: Path) -> None:
    network = make_network()
    loaded = load_checkpoint(write_checkpoint(tmp_path / "a.ckpt", network))
    assert loaded.plan == Plan(shape=network.shape, hours=2.0)
    assert (loaded.hours, loaded.updates) == (0.5, 7)
    assert not loaded.network.training
    expected = network.state_dict()
    for name, value in loaded.network.state_dict().items():
        assert torch.equal(value, expected[name])


def test_a_checkpoint_of_an_older_improv_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "a.ckpt", make_network(), improv_checkpoint=CHECKPOINT_VERSION - 1)
    with pytest.raises(ModelFileError) as error:
        load_checkpoint(path)
    assert str(error.value) == (f"{path} was made by an older improv, whose runs this one cannot go on with.")


def test_a_checkpoint_says_how_far_its_run_has_come(tmp_path: Path) -> None:
    openings = [[[0, 1, 60, 64, 200]]]
    kept = load_checkpoint(write_checkpoint(tmp_path / "a.ckpt", make_network(), openings=openings))
    assert kept.position == Position(passes=1, batches=3)
    assert kept.openings == openings


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"There is no checkpoint .*a\.ckpt\."):
        load_checkpoint(tmp_path / "a.ckpt")


def test_of_a_run_folder_the_checkpoint_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as error:
        load_checkpoint(tmp_path)
    assert str(error.value) == f"{tmp_path} is a folder; name a checkpoint in it, as in {tmp_path}/best.ckpt."


def test_a_newer_checkpoint_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "a.ckpt", make_network(), improv_checkpoint=CHECKPOINT_VERSION + 1)
    with pytest.raises(ModelFileError, match=r"a\.ckpt was made by a newer improv; update improv\."):
        load_checkpoint(path)


class _Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("executed",)


@pytest.mark.parametrize("damage", ["noise", "empty", "cut", "foreign", "other weights", "no plan", "code"])
def test_what_is_not_a_checkpoint_of_ours_is_refused_in_one_sentence(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_checkpoint(tmp_path / "a.ckpt", make_network())
    whole = path.read_bytes()
    if damage in ("noise", "empty", "cut"):
        path.write_bytes({"noise": b"noise" * 99, "empty": b"", "cut": whole[: len(whole) // 2]}[damage])
    elif damage == "foreign":
        torch.save({"state_dict": {}, "global_step": 3}, path)
    elif damage == "other weights":
        write_checkpoint(path, make_network(), plan=asdict(Plan(shape=Shape(hidden=99))))
    elif damage == "no plan":
        write_checkpoint(path, make_network(), plan=None)
    else:
        torch.save({"improv_checkpoint": CHECKPOINT_VERSION, "plan": _Code()}, path)
    with pytest.raises(ModelFileError) as error:
        load_checkpoint(path)
    assert str(error.value) == f"{path} is damaged, or not a checkpoint of improv train."
    assert not (tmp_path / "executed").exists()

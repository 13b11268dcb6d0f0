from __future__ import annotations

from pathlib import Path

import pytest

from improv_core.errors import DataError, StorageError
from improv_training.engine.run_folder import check_output, last_checkpoint, prepare


def test_a_new_run_gets_its_folder(tmp_path: Path) -> None:
    prepare(tmp_path / "runs" / "mine", resume=False)
    assert (tmp_path / "runs" / "mine").is_dir()


def test_a_new_run_does_not_overwrite_another(tmp_path: Path) -> None:
    last_checkpoint(tmp_path).write_bytes(b"")
    with pytest.raises(DataError, match="holds a training run already; go on with --resume, or name another"):
        prepare(tmp_path, resume=False)


def test_there_must_be_a_run_to_go_on_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mine holds no last\.ckpt to go on from; leave out --resume\."):
        prepare(tmp_path / "mine", resume=True)
    assert not (tmp_path / "mine").exists()


def test_a_run_needs_a_folder_that_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageError, match=r"The folder .*mine cannot be made \(Not a directory\)"):
        prepare(tmp_path / "taken" / "mine", resume=False)


def test_an_output_needs_a_folder_that_is_there(tmp_path: Path) -> None:
    check_output(tmp_path / "a.onnx")
    with pytest.raises(StorageError, match=r"no/a\.onnx cannot be written: there is no folder .*no\."):
        check_output(tmp_path / "no" / "a.onnx")
    with pytest.raises(StorageError, match="cannot be written: it is a folder"):
        check_output(tmp_path)

"""A model file is kept when it is proved, and never half."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_corpora import require_training_extra
from tiny_models import tiny_graph, tiny_network

from improv_core.errors import ModelFileError, StorageError


def test_a_proved_file_takes_its_place_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    require_training_extra()
    from improv_export.proving import kept_when_proved

    output = tmp_path / "a.onnx"
    output.write_bytes(b"before")
    with kept_when_proved(tiny_graph(tiny_network()), output) as partial:
        assert output.read_bytes() == b"before"
        written = partial.read_bytes()
    assert output.read_bytes() == written
    assert list(tmp_path.iterdir()) == [output]


def test_an_unproved_file_leaves_what_was_there(tmp_path: Path) -> None:
    require_training_extra()
    from improv_export.proving import kept_when_proved

    output = tmp_path / "a.onnx"
    output.write_bytes(b"before")
    with (
        pytest.raises(ModelFileError, match="worse"),
        kept_when_proved(tiny_graph(tiny_network()), output),
    ):
        raise ModelFileError("It is worse.")
    assert output.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [output]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    require_training_extra()
    from improv_export.proving import kept_when_proved

    with (
        pytest.raises(StorageError, match=r"a\.onnx cannot be written"),
        kept_when_proved(tiny_graph(tiny_network()), tmp_path / "no" / "a.onnx"),
    ):
        pass


def test_both_parts_play_by_turns_of_eight_notes() -> None:
    require_training_extra()
    from improv_export.proving import in_turns

    assert in_turns(20).tolist() == [0] * 8 + [1] * 8 + [0] * 4

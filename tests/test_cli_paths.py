from __future__ import annotations

from pathlib import Path

import pytest

from improv_core.errors import MidiFileError, StorageError
from improv_daemon.cli_paths import check_folder, check_free, check_midi_file, check_output_file


def check_output(path: Path, unlike: Path = Path("seed.mid")) -> None:
    check_output_file(path, suffixes=(".mid", ".midi"), unlike=unlike)


def test_a_folder_that_can_be_made_is_taken_but_not_made(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_inside_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(StorageError, match="is a file, so no sitting can be kept"):
        check_folder(tmp_path / "a" / "b")


def test_a_folder_with_an_impossible_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be used"):
        check_folder(tmp_path / ("x" * 5000))


def test_a_new_midi_file_is_taken(tmp_path: Path) -> None:
    check_output(tmp_path / "out.MID")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.mp3", r"must end in \.mid or \.midi"),
        ("folder.mid", "it is a folder"),
        ("none/out.mid", "there is no folder"),
        (f"{'x' * 5000}.mid", "cannot be written"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder.mid").mkdir()
    with pytest.raises(StorageError, match=message):
        check_output(tmp_path / name)


def test_the_input_is_never_the_output(tmp_path: Path) -> None:
    seed = tmp_path / "seed.mid"
    seed.write_bytes(b"")
    with pytest.raises(StorageError, match="is the input too"):
        check_output(tmp_path / "." / "seed.mid", unlike=seed)


@pytest.mark.parametrize("name", ["nowhere.mid", "", "x" * 5000])
def test_a_midi_file_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MidiFileError, match="There is no MIDI file"):
        check_midi_file(tmp_path / name)


def test_what_is_there_may_be_written_over_only_when_that_is_said(tmp_path: Path) -> None:
    check_free(tmp_path / "a.mid", force=False)
    (tmp_path / "a.mid").write_bytes(b"mine")
    with pytest.raises(StorageError, match="exists already; name another file, or add --force"):
        check_free(tmp_path / "a.mid", force=False)
    check_free(tmp_path / "a.mid", force=True)


@pytest.mark.parametrize(
    "name", ["journal.jsonl", "session.mid", "session.mp3", "session.part.mp3", "summary.json"]
)
def test_what_was_recorded_is_never_written_over(name: str, tmp_path: Path) -> None:
    for each in ("journal.jsonl", name):
        (tmp_path / each).write_bytes(b"played")
    (tmp_path / "link").symlink_to(tmp_path / name)
    for path in (tmp_path / name, tmp_path / "link"):
        with pytest.raises(StorageError, match="belongs to a session, which nothing writes over"):
            check_free(path, force=True)
    (tmp_path / "roll.png").write_bytes(b"mine")
    check_free(tmp_path / "roll.png", force=True)

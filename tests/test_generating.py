"""``improv generate``: from one MIDI file to another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from improv_core.errors import MidiFileError, ModelFileError, StorageError
from improv_core.midi_files import Track, read_midi, write_midi
from improv_core.notes import Note, Performance
from improv_daemon.generating import generate
from improv_daemon.settings import Settings

SETTINGS = Settings(seed=7)


@pytest.fixture
def seed_file(tmp_path: Path) -> Path:
    path = tmp_path / "seed.mid"
    notes = [Note(60 + i % 12, 60, 0.25 * i, 0.2) for i in range(16)]
    write_midi(path, [Track("piano", Performance.of(notes))])
    return path


def test_a_continuation_is_one_track_of_improvs_from_time_zero(seed_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mid"
    generate(seed_file, out, SETTINGS, 4.0)
    (track,) = read_midi(out)
    assert track.name == "improv"
    onsets = [note.onset_s for note in track.performance.notes]
    assert onsets[0] == 0.0
    assert 2.4 <= onsets[-1] <= 4.001
    sampling = SETTINGS.sampling
    assert all(sampling.lowest_pitch <= n.pitch <= sampling.highest_pitch for n in track.performance.notes)


def test_a_set_seed_gives_the_same_file_and_no_seed_another_each_time(
    seed_file: Path, tmp_path: Path
) -> None:
    files = [tmp_path / f"{i}.mid" for i in range(4)]
    for path, seed in zip(files, (7, 7, 0, 0), strict=True):
        generate(seed_file, path, replace(SETTINGS, seed=seed), 3.0)
    contents = [path.read_bytes() for path in files]
    assert contents[0] == contents[1]
    assert len(set(contents[1:])) == 3


def test_a_seed_file_without_notes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silent.mid"
    write_midi(path, [])
    with pytest.raises(MidiFileError, match=r"silent\.mid holds no notes\.$"):
        generate(path, tmp_path / "out.mid", SETTINGS, 2.0)


def test_a_missing_model_is_named_before_anything_is_written(seed_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"There is no model file none\.onnx"):
        generate(seed_file, tmp_path / "out.mid", replace(SETTINGS, model="none.onnx"), 2.0)
    assert not (tmp_path / "out.mid").exists()


def test_an_output_that_cannot_be_written_is_named(seed_file: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        generate(seed_file, tmp_path / "nowhere" / "out.mid", SETTINGS, 1.0)

from __future__ import annotations

import errno
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from tiny_corpora import random_pieces, scale, write_corpus

from improv_core.errors import DataError, StorageError
from improv_training.corpora.archives import Archive
from improv_training.corpora.beats import BEATS
from improv_training.corpora.corpus import TRACKS
from improv_training.corpora.encoded import Encoded
from improv_training.corpora.encoding import encode_source
from improv_training.corpora.sources import LARGEST_FILE


class Reading:
    """Encodes a folder, and counts how many files were read for it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self.files_read = folder, folder.parent / "cache", 0

    def encode(self, workers: int = 1) -> Encoded:
        return encode_source(self.folder, self.cache, workers=workers, progress=self._progress)

    def _progress(self, done: int, total: int) -> None:
        self.files_read += 1
        assert 0 < done <= total


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading(write_corpus(tmp_path / "songs", {"a.mid": scale(10), "b.mid": scale(20)}))


def test_what_has_not_changed_is_read_from_the_cache(reading: Reading) -> None:
    first = reading.encode()
    second = reading.encode()
    assert reading.files_read == 2
    assert second.files == first.files == ("a.mid", "b.mid")
    assert second.offsets.tolist() == [0, 10, 30]
    np.testing.assert_array_equal(second.rows, first.rows)


@pytest.mark.parametrize("change", ["changed", "added", "removed"])
def test_a_changed_folder_is_read_again_and_its_old_cache_replaced(reading: Reading, change: str) -> None:
    reading.encode()
    if change == "removed":
        (reading.folder / "b.mid").unlink()
    else:
        write_corpus(reading.folder, {"b.mid" if change == "changed" else "c.mid": scale(5)})
    expected = {"changed": [0, 10, 15], "added": [0, 10, 30, 35], "removed": [0, 10]}[change]
    assert reading.encode().offsets.tolist() == expected
    assert sorted(path.suffix for path in reading.cache.iterdir()) == [".json", ".npy"]


def test_rows_stay_on_the_disk_until_they_are_looked_at(reading: Reading) -> None:
    rows = reading.encode().rows
    assert isinstance(rows.base, np.memmap)
    assert not rows.flags.writeable
    assert rows.dtype == np.int32
    assert np.load(next(reading.cache.glob("*.npy")), mmap_mode="r").shape == (30, 8)


@pytest.mark.parametrize("suffix", [".json", ".npy"])
@pytest.mark.parametrize("damage", ["emptied", "noise", "cut short", "removed"])
def test_a_damaged_cache_is_made_again(reading: Reading, suffix: str, damage: str) -> None:
    expected = reading.encode().rows.copy()
    (cached,) = reading.cache.glob(f"*{suffix}")
    if damage == "removed":
        cached.unlink()
    else:
        cached.write_bytes(
            {"emptied": b"", "noise": b"noise" * 99, "cut short": cached.read_bytes()[:-1]}[damage]
        )
    np.testing.assert_array_equal(reading.encode().rows, expected)
    assert reading.files_read == 4
    reading.encode()
    assert reading.files_read == 4


@pytest.mark.parametrize(
    ("key", "value"), [("improv_encoding", 2), ("offsets", [0, 10]), ("offsets", [0, 10, 31]), ("files", 3)]
)
def test_an_index_that_does_not_fit_is_made_again(reading: Reading, key: str, value: object) -> None:
    reading.encode()
    (index,) = reading.cache.glob("*.json")
    index.write_text(json.dumps(json.loads(index.read_text()) | {key: value}))
    assert reading.encode().offsets.tolist() == [0, 10, 30]
    assert reading.files_read == 4


def test_a_reading_that_fails_leaves_nothing_and_what_was_there(reading: Reading) -> None:
    reading.encode()
    before = sorted(reading.cache.iterdir())
    write_corpus(reading.folder, {"c.mid": scale(5)})

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_source(reading.folder, reading.cache, progress=stop)
    assert sorted(reading.cache.iterdir()) == before


def test_folders_of_one_name_do_not_share_a_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for place, count in (("one", 3), ("two", 4)):
        encode_source(write_corpus(tmp_path / place / "midi", {"a.mid": scale(count)}), cache)
    assert len(list(cache.glob("*.json"))) == 2


def test_each_choice_of_tracks_has_a_cache_of_its_own(reading: Reading) -> None:
    for tracks in TRACKS:
        encode_source(reading.folder, reading.cache, tracks=tracks)
    assert len(list(reading.cache.glob("*.json"))) == 3


def test_each_source_of_beats_has_a_cache_of_its_own(reading: Reading) -> None:
    (reading.folder / "beat_midi.txt").write_text("0.5 1\n1.5 0\n")
    known = []
    for beats in BEATS:
        rows = encode_source(reading.folder, reading.cache, beats=beats).rows
        known.append([tuple(row) for row in rows[:3, -2:].tolist()])
    assert known == [
        [(0, 0), (0, 0), (0, 0)],
        [(0, 500), (240, 500), (480, 500)],
        [(1680, 1000), (1800, 1000), (1920, 1000)],
    ]
    assert len(list(reading.cache.glob("*.json"))) == 3


def test_changed_annotations_are_read_again(reading: Reading) -> None:
    lengths = []
    for text in ("0 1\n1 0\n", "0 1\n1.25 0\n"):
        (reading.folder / "beat_midi.txt").write_text(text)
        lengths.append(encode_source(reading.folder, reading.cache, beats="annotations").rows[0, -1])
    assert lengths == [1000, 1250]


def test_music_whose_annotations_are_damaged_stays_without_beats_and_one_sentence_names_them(
    reading: Reading,
) -> None:
    write_corpus(reading.folder, {"deep/c.mid": scale(5)})
    (reading.folder / "beat_midi.txt").write_text("0 1\n1 0\n")
    damaged = reading.folder / "deep" / "beat_midi.txt"
    damaged.write_text("0 1\nnoise\n")
    encoded = encode_source(reading.folder, reading.cache, beats="annotations")
    assert encoded.files == ("a.mid", "b.mid", "deep/c.mid")
    assert encoded.skipped == (
        f"{damaged} is no list of beats (line 2 does not begin with a time in seconds); "
        "its music is read without beats.",
    )
    assert encoded.rows[30:, -1].tolist() == [0] * 5
    assert encoded.rows[:20, -1].tolist() == [1000] * 20


def test_a_folder_without_any_annotations_is_an_error_where_they_are_asked_for(reading: Reading) -> None:
    with pytest.raises(DataError) as error:
        encode_source(reading.folder, reading.cache, beats="annotations")
    assert str(error.value) == (
        f"{reading.folder}: none of its files has beats annotated in a beat_midi.txt beside it."
    )
    assert list(reading.cache.iterdir()) == []


def test_several_processes_read_the_same_as_one(tmp_path: Path) -> None:
    pieces = {f"{i:03}.mid": scale(3 + i % 5) for i in range(130)}
    folder = write_corpus(tmp_path / "songs", pieces)
    (folder / "071.mid").write_bytes(b"noise")
    (folder / "beat_midi.txt").write_text("0 1\n1 0\n")
    alone = encode_source(folder, tmp_path / "one", beats="annotations")
    together = encode_source(folder, tmp_path / "two", beats="annotations", workers=2)
    assert together.files == alone.files == tuple(sorted(pieces.keys() - {"071.mid"}))
    assert together.skipped == alone.skipped == (f"{folder / '071.mid'} is not a MIDI file.",)
    np.testing.assert_array_equal(together.rows, alone.rows)
    np.testing.assert_array_equal(together.offsets, alone.offsets)


def test_processes_that_read_end_with_the_one_that_is_killed(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "songs", {f"{i:03}.mid": scale(3) for i in range(130)})
    program = tmp_path / "reading.py"
    program.write_text(
        "import signal, sys\n"
        "from pathlib import Path\n"
        "from improv_training.corpora.encoding import encode_source\n"
        "def stay(done, total):\n"
        "    print('reading', flush=True)\n"
        "    signal.pause()\n"
        "if __name__ == '__main__':\n"
        "    encode_source(Path(sys.argv[1]), Path(sys.argv[2]), workers=2, progress=stay)\n"
    )
    command = [sys.executable, str(program), str(folder), str(tmp_path / "cache")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        process.kill()
        assert process.stdout.read() == b""  # it ends when all have gone that could write to it


@pytest.mark.parametrize("workers", [1, 2])
def test_an_archive_gives_what_its_folder_gives(tmp_path: Path, workers: int) -> None:
    folder = write_corpus(tmp_path / "songs", {f"{i:03}.mid": scale(3 + i % 5) for i in range(70)})
    with tarfile.open(tmp_path / "songs.tar.gz", "w:gz") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, f"songs/{path.name}")
    expected = encode_source(folder, tmp_path / "cache", beats="ticks")
    archive = Archive(tmp_path / "songs.tar.gz")
    packed = encode_source(archive, tmp_path / "cache", beats="ticks", workers=workers)
    assert packed.files == expected.files
    np.testing.assert_array_equal(packed.rows, expected.rows)


def test_a_file_that_is_too_large_is_left_out(reading: Reading) -> None:
    with (reading.folder / "c.mid").open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    assert reading.encode().skipped == (
        f"{reading.folder / 'c.mid'} is left out: no MIDI file of music has 8 MB, the limit is 8.",
    )


def test_a_folder_without_midi_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    with pytest.raises(DataError, match=r"songs holds no \.mid or \.midi files\."):
        encode_source(tmp_path / "songs", tmp_path / "cache")


def test_a_folder_of_unreadable_files_is_an_error_that_names_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    for name in ("a.mid", "b.mid"):
        (folder / name).write_bytes(b"noise")
    with pytest.raises(DataError) as error:
        encode_source(folder, tmp_path / "cache")
    assert str(error.value) == (
        f"{folder}: none of 2 MIDI files could be read; the first: {folder / 'a.mid'} is not a MIDI file."
    )


def test_a_cache_that_cannot_be_written_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    reading = Reading(write_corpus(tmp_path / "songs", random_pieces(2)))
    reading.cache.write_text("a file in its place")
    with pytest.raises(StorageError, match=r"cache for encoded corpora cannot be written .*; use --cache\."):
        reading.encode()
    assert reading.files_read == 0


def test_a_disk_without_room_is_one_sentence(reading: Reading) -> None:
    def full(done: int, total: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError) as error:
        encode_source(reading.folder, reading.cache, progress=full)
    assert str(error.value) == (
        f"The folder {reading.cache} for encoded corpora cannot be written (No space left on device);"
        " use --cache."
    )
    assert list(reading.cache.iterdir()) == []

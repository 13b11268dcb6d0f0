from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_corpora import random_pieces, scale, write_corpus

from improv_core.errors import DataError, StorageError
from improv_training.encoding import Encoded, encode_folder


class Reading:
    """Encodes a folder, and counts how many files were read for it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self.files_read = folder, folder.parent / "cache", 0

    def encode(self, workers: int = 1) -> Encoded:
        return encode_folder(
            self.folder, self.folder.name, self.cache, workers=workers, progress=self._progress
        )

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
    assert len(list(reading.cache.iterdir())) == 1


@pytest.mark.parametrize("damage", [b"", b"noise", None])
def test_a_damaged_cache_is_made_again(reading: Reading, damage: bytes | None) -> None:
    expected = reading.encode()
    (cached,) = reading.cache.iterdir()
    cached.write_bytes(cached.read_bytes()[:-40] if damage is None else damage)
    np.testing.assert_array_equal(reading.encode().rows, expected.rows)
    assert reading.files_read == 4
    reading.encode()
    assert reading.files_read == 4


def test_folders_of_one_name_do_not_share_a_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for place, count in (("one", 3), ("two", 4)):
        encode_folder(write_corpus(tmp_path / place / "midi", {"a.mid": scale(count)}), "midi", cache)
    assert len(list(cache.iterdir())) == 2


def test_several_processes_read_the_same_as_one(tmp_path: Path) -> None:
    pieces = {f"{i:02}.mid": scale(3 + i % 5) for i in range(65)}
    folder = write_corpus(tmp_path / "songs", pieces)
    alone = encode_folder(folder, "songs", tmp_path / "one")
    together = encode_folder(folder, "songs", tmp_path / "two", workers=2)
    assert together.files == alone.files == tuple(pieces)
    np.testing.assert_array_equal(together.rows, alone.rows)


def test_a_folder_without_midi_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    with pytest.raises(DataError, match=r"songs holds no \.mid or \.midi files\."):
        encode_folder(tmp_path / "songs", "songs", tmp_path / "cache")


def test_a_folder_of_unreadable_files_is_an_error_that_names_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    for name in ("a.mid", "b.mid"):
        (folder / name).write_bytes(b"noise")
    with pytest.raises(DataError) as error:
        encode_folder(folder, "songs", tmp_path / "cache")
    assert str(error.value) == (
        f"{folder}: none of 2 MIDI files could be read; the first: {folder / 'a.mid'} is not a MIDI file."
    )


def test_a_cache_that_cannot_be_written_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    reading = Reading(write_corpus(tmp_path / "songs", random_pieces(2)))
    reading.cache.write_text("a file in its place")
    with pytest.raises(StorageError, match=r"cache for encoded corpora cannot be written .*; use --cache\."):
        reading.encode()
    assert reading.files_read == 0

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from improv_core.errors import DataError
from improv_training.corpora.beats import BeatMap, beats_of_ticks, read_annotations


def told(beats: BeatMap | None, *onset_s: float) -> list[tuple[int, int]]:
    """(beat_ticks, beat_ms) of each onset."""
    assert beats is not None
    ticks, beat_ms = beats.of(np.array(onset_s))
    return list(zip(ticks.tolist(), beat_ms.tolist(), strict=True))


def annotated(path: Path, text: str) -> BeatMap:
    path.write_text(text)
    return read_annotations(path)


# --- seconds to beats -----------------------------------------------------------------------------


def test_onsets_between_moments_are_in_proportion() -> None:
    beats = BeatMap(np.array([1.0, 1.5, 2.5]), np.array([0.0, 1.0, 2.0]))
    assert told(beats, 1.0, 1.25, 1.5, 1.75) == [(0, 500), (240, 500), (480, 1000), (600, 1000)]


def test_the_first_and_last_tempo_hold_beyond_the_moments_as_far_as_they_reach() -> None:
    beats = BeatMap(np.array([1.0, 1.5, 2.5]), np.array([2.0, 3.0, 4.0]), reach=2)
    assert told(beats, 0.0, 4.5) == [(0, 500), (2880, 1000)]
    assert told(beats, -0.001, 4.501) == [(0, 0), (0, 0)]


def test_a_gap_that_is_longer_than_any_beat_is_unknown_and_the_rest_is_not() -> None:
    beats = BeatMap(np.array([0.0, 0.5, 4.0, 4.5]), np.arange(4.0))
    assert told(beats, 0.25, 2.0, 4.25) == [(240, 500), (0, 0), (1200, 500)]


def test_moments_at_one_time_have_no_beat_between_them() -> None:
    beats = BeatMap(np.array([0.0, 0.5, 0.5, 0.5]), np.arange(4.0))
    assert told(beats, 0.25, 0.5, 9.0) == [(240, 500), (0, 0), (0, 0)]


def test_no_onsets_have_no_beats() -> None:
    assert told(BeatMap(np.array([0.0, 1.0]), np.array([0.0, 1.0]))) == []


# --- ticks ----------------------------------------------------------------------------------------


def test_ticks_are_beats_at_the_tempo_of_each() -> None:
    beats = beats_of_ticks(96, [(96, 1_000_000), (192, 250_000)])
    assert told(beats, 0.25, 1.0, 1.5, 4.0) == [(240, 500), (720, 1000), (960, 250), (5760, 250)]


def test_without_a_tempo_the_beat_is_half_a_second() -> None:
    assert told(beats_of_ticks(480, []), 0.0, 0.75, 60.0) == [(0, 500), (720, 500), (57600, 500)]


def test_of_one_tick_the_last_tempo_counts() -> None:
    assert told(beats_of_ticks(96, [(0, 250_000), (0, 1_000_000)]), 0.5) == [(240, 1000)]


def test_a_tempo_of_nothing_has_no_beats() -> None:
    assert told(beats_of_ticks(96, [(96, 0)]), 0.25, 0.5, 1.0) == [(240, 500), (0, 0), (0, 0)]


def test_positions_beyond_the_largest_number_are_unknown() -> None:
    beats = beats_of_ticks(1, [(0, 1)])
    assert told(beats, 4.0, 5.0) == [(1_920_000_000, 0), (0, 0)]


def test_ticks_of_film_frames_are_no_beats() -> None:
    assert beats_of_ticks(-6360, [(0, 500_000)]) is None


# --- annotations ----------------------------------------------------------------------------------


def test_annotated_beats_are_known_a_bar_before_and_after(tmp_path: Path) -> None:
    beats = annotated(tmp_path / "beats.txt", "3.0 1.0 1.0\n3.5 0.0 0.0\n\n4.25 1.0 0.0\n")
    assert told(beats, 3.25, 3.5, 3.875) == [(2160, 500), (2400, 750), (2640, 750)]
    assert told(beats, 0.999, 1.0, 7.25, 7.251) == [(0, 0), (0, 500), (4800, 750), (0, 0)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has fewer than two"),
        ("0.5\n", "it has fewer than two"),
        ("0.5 1\n\nnoise 0\n", "line 3 does not begin with a time in seconds"),
        ("0.5 1\nnan 0\n", "line 2 does not begin with a time in seconds"),
        ("0.5 1\n1.0 0\n1.0 0\n", "beat 3 is not after the one before"),
    ],
)
def test_a_damaged_list_of_beats_says_where(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(DataError) as error:
        annotated(tmp_path / "beats.txt", text)
    assert str(error.value) == f"{tmp_path / 'beats.txt'} is no list of beats ({reason})"


def test_a_list_of_beats_longer_than_any_music_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is no list of beats \(it is far too large\)"):
        annotated(tmp_path / "beats.txt", "0.5 1\n" * 200_000)


def test_bytes_that_are_no_text_are_no_list_of_beats(tmp_path: Path) -> None:
    (tmp_path / "beats.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(
        DataError, match=r"is no list of beats \(line 1 does not begin with a time in seconds\)"
    ):
        read_annotations(tmp_path / "beats.txt")


def test_a_list_of_beats_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"beats\.txt cannot be read \(No such file or directory\)"):
        read_annotations(tmp_path / "beats.txt")

"""What improv has heard before the first note: a MIDI file, or a sentence that says why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from playing import improviser_of

from improv_core.errors import MidiFileError
from improv_core.exchanges import Forgotten
from improv_core.midi_files import Track, write_midi
from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance
from improv_daemon.priming import JUST_BEFORE_S, ending_at, prime, remembered


def scale_of(count: int, gap_s: float = 0.25) -> Performance:
    notes = [Note(60 + i % 12, 64, i * gap_s, gap_s) for i in range(count)]
    return Performance.of(notes, [ControlChange(SUSTAIN_CONTROLLER, 127, 0.0)])


def written(path: Path, performance: Performance) -> Path:
    write_midi(path, [Track("piano", performance)])
    return path


def test_a_file_is_heard_as_if_it_had_just_been_played(tmp_path: Path) -> None:
    improviser = improviser_of()
    prime(improviser, written(tmp_path / "scale.mid", scale_of(20)), 1000.0)
    heard = improviser.heard
    assert [note.pitch for note in heard] == [60 + i % 12 for i in range(20)]
    assert all(note.part == 0 and note.duration_s is not None for note in heard)
    assert heard[-1].onset_s + 0.25 == pytest.approx(1000.0 - JUST_BEFORE_S, abs=0.01)


def test_the_clock_may_have_begun_a_moment_ago(tmp_path: Path) -> None:
    improviser = improviser_of()
    prime(improviser, written(tmp_path / "scale.mid", scale_of(40)), 1.0)
    improviser.begin_turn(1, 1.0)
    assert 1.0 <= improviser.draw(1.0, 2.0).onset_s <= 2.0


def test_to_undo_the_first_turn_does_not_forget_the_file(tmp_path: Path) -> None:
    improviser = improviser_of()
    prime(improviser, written(tmp_path / "scale.mid", scale_of(20)), 10.0)
    of_the_file = list(improviser.heard)
    improviser.begin_turn(1, 10.0)
    note = improviser.draw(10.0, 11.0)
    improviser.close_turn({note.index: (note.onset_s, note.release_s)})
    assert len(improviser.heard) == 21
    assert improviser.forget_exchange() == Forgotten(1)
    assert list(improviser.heard) == of_the_file


def test_no_more_of_it_is_read_than_is_remembered() -> None:
    improviser = improviser_of(window_notes=16)
    kept = remembered(scale_of(100), improviser)
    assert kept.notes == scale_of(100).notes[-16:]
    assert [(change.value, change.at_s) for change in kept.pedal] == [(127, kept.notes[0].onset_s)]


def test_it_ends_with_all_keys_and_the_pedal_up() -> None:
    moved = ending_at(scale_of(8), 30.0)
    assert moved.notes[-1].release_s == pytest.approx(30.0)
    assert [(change.value, change.at_s) for change in moved.pedal] == [(127, pytest.approx(28.0)), (0, 30.0)]


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "does not exist"), (b"", "is empty"), (b"RIFF....", "is not a MIDI file")],
    ids=["missing", "empty", "another"],
)
def test_what_is_no_midi_file_is_said_in_a_sentence(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "prime.mid"
    if content is not None:
        path.write_bytes(content)
    improviser = improviser_of()
    with pytest.raises(MidiFileError, match=says):
        prime(improviser, path, 10.0)
    assert improviser.heard == []


def test_a_file_without_notes_is_said_too(tmp_path: Path) -> None:
    with pytest.raises(MidiFileError, match="holds no notes"):
        prime(improviser_of(), written(tmp_path / "silence.mid", Performance()), 10.0)

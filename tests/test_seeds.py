"""What there is to go on from."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_sessions import session

from improv_core.errors import MidiFileError, StorageError
from improv_core.midi_files import DRUM_CHANNEL, Track, write_midi
from improv_core.notes import Note, Performance
from improv_daemon.phrases import demo_phrases
from improv_daemon.seeds import NOTHING, PASSAGE_S, WHOLE, Span, clock_time, random_seed, seed_of, seeds


def write_piece(path: Path, *, seconds: int = 10, pitch: int = 60, channel: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = [Note(pitch, 64, float(at_s), 0.5) for at_s in range(seconds)]
    write_midi(path, [Track("piano", Performance.of(notes), channel=channel)])
    return path


# --- files and sessions ---------------------------------------------------------------------------


def test_a_file_is_heard_whole(tmp_path: Path) -> None:
    path = write_piece(tmp_path / "a.mid")
    seed = seed_of(str(path))
    assert (seed.name, seed.span, seed.beats) == (str(path), WHOLE, None)
    assert len(seed.performance.notes) == 10


def test_a_part_of_it_begins_at_zero(tmp_path: Path) -> None:
    seed = seed_of(str(write_piece(tmp_path / "a.mid")), Span(2.0, 4.0), beats=True)
    assert [note.onset_s for note in seed.performance.notes] == [0.0, 1.0]
    assert seed.beats is not None
    assert seed.beats.bar_lines_s[1] == 2.0


def test_drums_are_not_heard_but_are_among_the_tracks(tmp_path: Path) -> None:
    path = tmp_path / "band.mid"
    voice = Performance.of([Note(60, 64, 0.0, 1.0)])
    write_midi(path, [Track("drums", voice, channel=DRUM_CHANNEL), Track("piano", voice)])
    seed = seed_of(str(path))
    assert (len(seed.tracks), len(seed.performance.notes)) == (2, 1)


@pytest.mark.parametrize(
    ("span", "where"), [(WHOLE, ""), (Span(5.0), " from 0:05"), (Span(60.5, 62.0), " from 1:00.5 to 1:02")]
)
def test_nothing_to_hear_is_said_with_where(span: Span, where: str, tmp_path: Path) -> None:
    path = write_piece(tmp_path / "a.mid", seconds=0)
    with pytest.raises(MidiFileError, match=rf"a\.mid holds no notes{where}\.$"):
        seed_of(str(path), span)


def test_drums_alone_are_nothing_to_go_on_from(tmp_path: Path) -> None:
    path = write_piece(tmp_path / "a.mid", channel=DRUM_CHANNEL)
    with pytest.raises(MidiFileError, match=r"a\.mid holds no notes but those of drums from 0:02\.$"):
        seed_of(str(path), Span(2.0))


@pytest.mark.parametrize("name", ["last", "2026-01-02", "PATH", "PATH/journal.jsonl"])
def test_a_session_is_heard_by_name_or_path(name: str, tmp_path: Path) -> None:
    folder = session(tmp_path / "sessions", "2026-01-02_03-04-05")
    seed = seed_of(name.replace("PATH", str(folder.path)), sessions=tmp_path / "sessions")
    assert [track.name for track in seed.tracks] == ["player", "improv"]
    asking, pressing, _ = demo_phrases()
    assert len(seed.performance.notes) == len(asking.notes) + len(pressing.notes)


def test_a_session_that_is_not_there_is_named(tmp_path: Path) -> None:
    session(tmp_path / "sessions")
    with pytest.raises(StorageError, match="nobody"):
        seed_of("nobody", sessions=tmp_path / "sessions")


# --- a random piece -------------------------------------------------------------------------------


def test_the_dice_choose_the_piece_and_the_passage(tmp_path: Path) -> None:
    for i in range(6):
        write_piece(tmp_path / str(i % 2) / f"{i}.mid", seconds=90, pitch=60 + i)
    chosen = [random_seed(tmp_path, dice) for dice in range(1, 21)]
    assert chosen == [random_seed(tmp_path, dice) for dice in range(1, 21)]
    assert {seed.name for seed in chosen} == {f"{i % 2}/{i}.mid" for i in range(6)}
    assert len({seed.span for seed in chosen}) > 12
    for seed in chosen:
        assert seed.span.to_s is not None
        assert seed.span.to_s - seed.span.from_s <= PASSAGE_S + 1e-9
        assert 28 <= len(seed.performance.notes) <= 31


def test_a_passage_is_that_of_the_times_it_is_said_to_be(tmp_path: Path) -> None:
    write_piece(tmp_path / "a.mid", seconds=90)
    drawn = random_seed(tmp_path, 5)
    typed = seed_of(str(tmp_path / "a.mid"), drawn.span)
    assert (typed.tracks, typed.span) == (drawn.tracks, drawn.span)
    assert drawn.span == Span(round(drawn.span.from_s, 1), round(drawn.span.to_s or 0.0, 1))


def test_of_a_short_piece_the_passage_has_notes(tmp_path: Path) -> None:
    write_piece(tmp_path / "a.mid", seconds=1)
    assert [len(random_seed(tmp_path, dice).performance.notes) for dice in (1, 2, 3)] == [1, 1, 1]


def test_a_part_may_be_named_instead(tmp_path: Path) -> None:
    write_piece(tmp_path / "a.mid")
    assert [note.onset_s for note in random_seed(tmp_path, 1, Span(3.0, 5.0)).performance.notes] == [0.0, 1.0]


def test_a_file_that_cannot_be_used_is_said_and_another_taken(tmp_path: Path) -> None:
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    write_piece(tmp_path / "drums.mid", channel=DRUM_CHANNEL)
    write_piece(tmp_path / "good.mid")
    said: list[str] = []
    assert {random_seed(tmp_path, dice, say=said.append).name for dice in range(1, 9)} == {"good.mid"}
    assert any("bad.mid is damaged" in sentence for sentence in said)
    assert "drums.mid holds no notes but those of drums; another piece is taken." in said


def test_a_folder_of_nothing_usable_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        MidiFileError, match=r"^There are no MIDI files in .*; name a folder that holds some\.$"
    ):
        random_seed(tmp_path, 1)
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    with pytest.raises(
        MidiFileError, match=r"^Of the MIDI files in .* none can be used; name another folder\.$"
    ):
        random_seed(tmp_path, 1)


# --- which of them --------------------------------------------------------------------------------


def test_a_source_is_the_same_for_all_dice_a_folder_is_not_and_without_both_there_is_nothing(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    path = write_piece(tmp_path / "a.mid", seconds=90)
    named, drawn, nothing = (
        seeds(str(path), None, None, say=said.append),
        seeds(None, tmp_path, None, say=said.append),
        seeds(None, None, None, say=said.append),
    )
    assert named(1) is named(2)
    assert said == []
    assert nothing(1) is NOTHING
    first, second = drawn(1), drawn(2)
    assert first != second
    assert said == [f"Going on from {path}, {seed.span}." for seed in (first, second)]


@pytest.mark.parametrize(
    ("at_s", "text"),
    [(0.0, "0:00"), (62.5, "1:02.5"), (59.96, "1:00"), (3723.5, "1:02:03.5"), (9.04, "0:09")],
)
def test_times_are_minutes_and_seconds(at_s: float, text: str) -> None:
    assert clock_time(at_s) == text

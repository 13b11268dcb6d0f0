"""Pictures: what is counted and placed, and files that are the same each time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_sessions import session
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

from improv_core.errors import ConfigError, DataError
from improv_core.midi_files import Track, write_midi
from improv_core.notes import ControlChange, Note, Performance
from improv_core.tempo_map import Conductor
from improv_daemon import cli
from improv_daemon.plotting import SINGLE, WHAT
from improv_daemon.plotting.arrays import Notes, pedal_spans
from improv_daemon.plotting.axes_of_time import clock, length_in_words
from improv_daemon.plotting.groups import Subject, groups_of
from improv_daemon.plotting.palette import DARK, LIGHT, Palette, rgb, shades, suited
from improv_daemon.plotting.picture import draw, save_picture, subject_of
from improv_daemon.plotting.roll import voices_of
from improv_daemon.plotting.sheets import Look, Sheet
from improv_daemon.plotting.training import read_run
from improv_daemon.plotting.windows import Window
from improv_daemon.studio import Piece
from improv_daemon.studio.beats import beats_of, beats_of_conductor

SMALL = Look(width_px=640, height_px=400)


def tune(*pitches: int, gap_s: float = 0.5, velocity: int = 64) -> list[Note]:
    return [Note(pitch, velocity, gap_s * i, 0.4) for i, pitch in enumerate(pitches)]


def later(notes: list[Note], by_s: float) -> list[Note]:
    return [Note(n.pitch, n.velocity, n.onset_s + by_s, n.duration_s) for n in notes]


def conversation() -> Piece:
    """Two turns of each."""
    calls = [*tune(60, 64, 67), *later(tune(60, 64, 67), 8.0)]
    answers = [*later(tune(72, 71), 3.0), *later(tune(72, 71), 11.0)]
    tracks = (Track("player", Performance.of(calls)), Track("improv", Performance.of(answers), channel=1))
    return Piece.of_tracks("talk", tracks)


def picture_of(piece: Piece, what: str, window: Window | None = None) -> Sheet:
    return draw([Subject(piece.name, (piece,))], what, SMALL, window or Window())


def contrast(one: str, other: str) -> float:
    """As WCAG 2.1 defines it."""

    def luminance(colour: str) -> float:
        linear = np.where((c := rgb(colour)) <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# --- arrays ---------------------------------------------------------------------------------------


def test_an_interval_goes_from_top_note_to_top_note_and_a_chord_is_one_onset() -> None:
    chord = [Note(48, 64, 0.0, 1.0), Note(60, 64, 0.02, 1.0), Note(67, 64, 0.03, 1.0)]
    notes = Notes.of([*chord, Note(65, 64, 0.5, 0.2), Note(72, 64, 1.25, 0.2)])
    assert notes.intervals.tolist() == [-2, 7]
    assert notes.inter_onset_s.tolist() == [0.5, 0.75]


def test_of_no_note_and_of_one_there_is_nothing_between_notes() -> None:
    for notes in (Notes.of([]), Notes.of(tune(60))):
        assert notes.intervals.tolist() == []
        assert notes.inter_onset_s.tolist() == []


def test_the_pedal_is_down_from_64_up_until_it_is_let_go_or_the_piece_ends() -> None:
    moves = [(64, 63, 0.5), (64, 64, 1.0), (64, 127, 1.5), (64, 0, 2.0), (7, 127, 2.5), (64, 90, 3.0)]
    controls = [ControlChange(*move) for move in moves]
    assert pedal_spans(controls, 4.0).tolist() == [[1.0, 2.0], [3.0, 4.0]]


# --- colours --------------------------------------------------------------------------------------


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_words_and_voices_stand_out_from_the_ground(palette: Palette) -> None:
    assert contrast(palette.ink, palette.ground) > 12
    assert contrast(palette.quiet, palette.ground) > 4.5
    assert min(contrast(one, palette.ground) for one in (palette.player, palette.improv)) > 3


def test_the_louder_the_further_from_the_ground() -> None:
    distance = [
        np.abs(shade - rgb("#14171c")).sum()
        for shade in shades(np.array([1.0, 40, 80, 127]), "#e69f00", "#14171c")
    ]
    assert distance == sorted(distance)
    assert distance[0] > 0.2
    assert shades(np.array([127.0]), "#e69f00", "#14171c").tolist() == [rgb("#e69f00").tolist()]


def test_the_palette_follows_the_ground_of_given_axes() -> None:
    assert suited(to_rgb("white")) is LIGHT
    assert suited("#101010") is DARK


# --- what is shown --------------------------------------------------------------------------------


def test_player_and_improv_are_told_apart_and_files_otherwise() -> None:
    talk = conversation()
    (player, improv) = groups_of([Subject("talk", (talk,))], LIGHT)
    assert [(group.label, len(group.notes()[0])) for group in (player, improv)] == [
        ("player", 6),
        ("improv", 4),
    ]
    both = groups_of([Subject("a", (talk,)), Subject("b", (Piece.of(tune(60)),))], LIGHT)
    assert [(group.label, group.colour) for group in both] == [("a", LIGHT.of(0)), ("b", LIGHT.of(1))]


def test_drums_are_left_out_unless_there_is_nothing_else() -> None:
    drums = Track("drums", Performance.of(tune(36, 38)), channel=9)
    piano = Track("piano", Performance.of(tune(60)))
    assert [voice.label for voice in voices_of(Piece("band", (drums, piano)), LIGHT)] == ["piano"]
    assert [voice.label for voice in voices_of(Piece("beat", (drums,)), LIGHT)] == ["drums"]
    (axes,) = picture_of(Piece("beat", (drums,)), "roll").figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Bass Drum 1", "Acoustic Snare"]


def test_a_roll_has_a_bar_for_each_note_where_it_sounds() -> None:
    (axes,) = picture_of(Piece.of(tune(60, 64, 67)), "roll").figure.axes
    (bars,) = [one for one in axes.collections if isinstance(one, PolyCollection)]
    boxes = [path.get_extents() for path in bars.get_paths()]
    assert [(round(box.x0, 6), round(box.x1, 6)) for box in boxes] == [(0.0, 0.4), (0.5, 0.9), (1.0, 1.4)]
    assert [round((box.y0 + box.y1) / 2, 6) for box in boxes] == [60, 64, 67]


def test_turns_are_named_above_a_roll() -> None:
    talk = conversation()
    (axes,) = draw([Subject("talk", (talk,))], "roll", Look(), Window()).figure.axes
    assert [text.get_text() for text in axes.texts] == ["player 1", "improv 1", "player 2", "improv 2"]


def test_a_long_roll_is_broken_into_rows_of_whole_seconds() -> None:
    figure = picture_of(Piece.of(tune(*[60] * 400)), "roll").figure
    assert [tuple(axes.get_xlim()) for axes in figure.axes] == [(0, 70), (70, 140), (140, 210)]


def test_bars_are_counted_through_changes_of_tempo_and_metre(tmp_path: Path) -> None:
    conductor = Conductor(((0, 500_000), (3840, 1_000_000)), ((0, 4, 4), (3840, 3, 4)))
    path = tmp_path / "bars.mid"
    write_midi(path, [Track("piano", Performance.of([Note(60, 64, 0.0, 7.9)]))], conductor=conductor)
    beats = beats_of(path)
    assert beats is not None
    assert beats.tempos == ((0.0, 120.0), (2.0, 60.0))
    assert beats.bar_lines_s[:4] == (0.0, 2.0, 5.0, 8.0)
    assert beats.bars(np.array([0.0, 1.0, 2.0, 6.5])).tolist() == [1.0, 1.5, 2.0, 3.5]


def test_bars_need_somebody_who_says_where_they_are() -> None:
    with pytest.raises(ConfigError, match="Nothing says where the bars of piece are"):
        picture_of(Piece.of(tune(60)), "roll", Window(bars=True))


def test_counts_are_of_notes_and_named_chords() -> None:
    triad = [Note(pitch, 64, 5.0, 1.0) for pitch in (60, 64, 67)]
    notes, chords = picture_of(Piece.of([*tune(60, 60, 62), *triad]), "counts").figure.axes
    assert [label.get_text() for label in notes.get_yticklabels()] == ["C4", "D4", "E4", "G4"]
    assert [bar.get_width() for bar in notes.patches] == [3, 1, 1, 1]
    assert [label.get_text() for label in chords.get_yticklabels()] == ["C"]


def test_distributions_of_one_are_counts_and_of_several_shares() -> None:
    (one,) = picture_of(Piece.of(tune(60, 60, 64)), "pitch-class").figure.axes
    assert [bar.get_height() for bar in one.patches] == [2, 0, 0, 0, 1, *[0] * 7]
    subjects = [Subject(name, (Piece.of(tune(60, 60, 64)),)) for name in "ab"]
    (several,) = draw(subjects, "pitch-class", SMALL, Window()).figure.axes
    assert [round(bar.get_height(), 3) for bar in several.patches[:5]] == [66.667, 0, 0, 0, 33.333]


def test_density_counts_notes_a_second() -> None:
    (axes,) = picture_of(Piece.of(tune(*[60] * 100, gap_s=0.25)), "density").figure.axes
    assert np.interp(12.0, *axes.lines[0].get_data()) == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("what", ["density", "tempo", "roll"])
def test_of_a_part_only_the_part_is_on_the_axis(what: str) -> None:
    piece = Piece.of(tune(*[60] * 100, gap_s=0.25))
    timed = replace(piece, beats=beats_of_conductor(Conductor.steady(120.0), piece.length_s))
    (axes,) = draw([Subject("x", (timed,))], what, SMALL, Window(5.0, 15.0)).figure.axes
    low, high = axes.get_xlim()
    assert (low, high) == (5.0, pytest.approx(15.0, abs=0.1))


def test_a_part_ends_with_the_piece_and_does_not_begin_after_it() -> None:
    piece = Piece.of(tune(*[60] * 100, gap_s=0.25))
    assert Window(5.0, 90.0).until_in(piece.length_s) == piece.length_s
    with pytest.raises(ConfigError, match=r"There is nothing of piece from 1:00 on; it ends at 0:25\."):
        draw([Subject(piece.name, (piece,))], "roll", SMALL, Window(60.0, 90.0))


def test_more_than_there_are_colours_for_are_refused() -> None:
    subjects = [Subject(name, (Piece.of(tune(60)),)) for name in "abcdefgh"]
    with pytest.raises(ConfigError, match="8 are too many to be told apart by their colours, 7 at most"):
        draw(subjects, "pitch", SMALL, Window())


@pytest.mark.parametrize("what", [what for what in (*WHAT, *SINGLE) if what not in ("training", "tempo")])
def test_no_note_and_one_note_can_be_shown_too(what: str) -> None:
    picture_of(Piece("empty", ()), what).figure.draw_without_rendering()
    picture_of(Piece.of([Note(60, 80, 0.5, 1.0)]), what).figure.draw_without_rendering()


def test_small_pictures_have_small_words_and_the_pixels_that_are_asked_for() -> None:
    sizes = [Look(width_px=width, height_px=width // 2) for width in (1920, 1600, 800, 320)]
    assert [round(look.dpi) for look in sizes] == [160, 160, 80, 80]
    assert [round(look.inches[0] * look.dpi) for look in sizes] == [1920, 1600, 800, 320]


def test_more_pieces_than_a_picture_holds_are_refused() -> None:
    subject = Subject("many", (Piece.of(tune(60)),) * 9)
    with pytest.raises(ConfigError, match="9 pieces are too many"):
        draw([subject], "roll", SMALL, Window())


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_picture_is_the_same_file(suffix: str, tmp_path: Path) -> None:
    source = tmp_path / "tune.mid"
    write_midi(source, [Track("piano", Performance.of(tune(60, 64, 67)))])
    files = [tmp_path / f"{i}{suffix}" for i in range(2)]
    for path in files:
        save_picture([str(source)], path, "roll", SMALL, Window())
    assert files[0].read_bytes() == files[1].read_bytes()
    assert b"2026" not in files[0].read_bytes()


def test_a_session_is_found_by_its_name(tmp_path: Path) -> None:
    folder = session(tmp_path / "sessions")
    subject = subject_of("last", sessions=tmp_path / "sessions", beats=True, say=print)
    (piece,) = subject.pieces
    assert subject.label == folder.name
    assert [turn.name for turn in piece.turns] == ["player 1", "improv 1"]
    assert piece.beats is not None


def test_a_folder_is_one_subject_and_damaged_files_in_it_are_named(tmp_path: Path) -> None:
    for name in "ab":
        write_midi(tmp_path / f"{name}.mid", [Track("piano", Performance.of(tune(60)))])
    (tmp_path / "c.mid").write_bytes(b"MThd nonsense")
    said: list[str] = []
    subject = subject_of(str(tmp_path), sessions=None, beats=False, say=said.append)
    assert [piece.name for piece in subject.pieces] == ["a", "b"]
    (sentence,) = said
    assert sentence.startswith(f"Left out: {tmp_path / 'c.mid'} is damaged")


def test_a_run_is_read_from_its_table(tmp_path: Path) -> None:
    log = tmp_path / "mine" / "log"
    log.mkdir(parents=True)
    rows = (
        "epoch,step,train,val,val_pitch,val_steps\n1,20,9.5,,,\n1,40,9.0,,,\n1,40,,8.5,2.5,400\n1,60,nan,,,\n"
    )
    (log / "metrics.csv").write_text(rows)
    run = read_run(tmp_path / "mine")
    assert (run.folder.name, run.heads) == ("mine", ["pitch"])
    assert [curve.tolist() for curve in run.curves["train"]] == [[20, 40], [9.5, 9.0]]
    assert [curve.tolist() for curve in run.curves["val"]] == [[40], [8.5]]


@pytest.mark.parametrize("table", ["", "a,b\n1,2\n", "step,train\nx,y\n", "\0\n"])
def test_a_table_that_is_no_runs_is_refused(table: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(table)
    with pytest.raises(DataError, match="no table of a training run"):
        read_run(tmp_path)


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("gone.mid -o a.png", "gone.mid does not exist."),
        (f"{'a' * 300} -o a.png", f"{'a' * 300} cannot be read (File name too long)."),
        ("tune.mid -o a.jpg", "a.jpg cannot be the output: its name must end in .png or .svg or .pdf."),
        ("tune.mid -o a.png --what rol", "There is no picture 'rol'; did you mean roll?"),
        ("tune.mid -o a.png --size 12", "--size '12' is no size; write it as 1920x1080."),
        (
            "tune.mid -o a.png --size 12x12",
            "--size 12x12 is too small or too large; each side has 320 to 8000 pixels.",
        ),
        ("tune.mid -o a.png --from 0:09 --to 4", "--to must come after --from."),
        (
            "tune.mid -o a.png --what training",
            "tune.mid is no training run: there is no log/metrics.csv in it.",
        ),
        (
            "tune.mid -o there.png",
            "there.png exists already; name another file, or add --force to write over it.",
        ),
        ("folder -o a.png", "There are no MIDI files in folder, and it is no session and no training run."),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(
    arguments: str,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_midi(Path("tune.mid"), [Track("piano", Performance.of(tune(60)))])
    Path("there.png").write_bytes(b"mine")
    Path("folder").mkdir()
    assert cli.main(["plot", *arguments.split()]) == 2
    assert capfd.readouterr().err.strip() == sentence
    assert not Path("a.png").exists()
    assert Path("there.png").read_bytes() == b"mine"


def test_the_command_writes_a_picture_of_the_size_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_midi(Path("tune.mid"), [Track("piano", Performance.of(tune(60, 62)))])
    assert cli.main(["plot", "tune.mid", "-o", "roll.png", "--size", "800x450", "--dark"]) == 0
    assert capfd.readouterr().out == "Wrote roll.png.\n"
    header = Path("roll.png").read_bytes()[16:24]
    assert (int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")) == (800, 450)


def test_any_name_can_stand_over_a_picture(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    track = Track("$x^ 夜\n", Performance.of(tune(60)))
    write_midi(tmp_path / "a$\\b_夜$.mid", [track, track])
    out = tmp_path / "roll.png"
    assert cli.main(["plot", str(tmp_path / "a$\\b_夜$.mid"), "-o", str(out)]) == 0
    assert capfd.readouterr().err == ""


def test_moments_and_lengths_read_as_one_says_them() -> None:
    assert [clock(65), clock(3725), clock(1.5, 0.5)] == ["1:05", "1:02:05", "0:01.5"]
    assert [length_in_words(s) for s in (4.25, 47, 125, 7100)] == ["4.2 s", "47 s", "2 min 5 s", "1 h 58 min"]

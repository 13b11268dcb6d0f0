"""``improv generate``: what improv plays after a MIDI file, an opening, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playing import improviser_of, model_of, model_that_plays, model_trained_on
from scripted_improviser import ScriptedImproviser

from improv_core.closing import CLOSE_S, REACHED_S
from improv_core.errors import MidiFileError, StorageError
from improv_core.improviser import Improviser
from improv_core.improvising import Ask
from improv_core.metre import Metre, conductor_of
from improv_core.midi_files import PROGRAM, ChannelMessage, Track, read_midi, write_midi
from improv_core.model import Model
from improv_core.notes import ControlChange, Note, Performance
from improv_core.representation import Events, Piano
from improv_core.tempo_map import Conductor
from improv_daemon import generating
from improv_daemon.generating import Composition, Wanted, compose, write
from improv_daemon.models import load_model
from improv_daemon.seeds import NOTHING, Seed, seed_of
from improv_daemon.settings import Answer, Settings

SETTINGS = Settings(seed=7)


def generate(
    seed_file: Path | None,
    out: Path,
    settings: Settings,
    seconds: float,
    *,
    tempo_bpm: float | None = None,
    model: Model | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    **more: Any,
) -> Composition:
    """Compose with the model that is set, and write it."""
    seed = NOTHING if seed_file is None else seed_of(str(seed_file), beats=True)
    wanted = Wanted(seconds, tempo_bpm=tempo_bpm, **more)
    made = compose(
        seed, settings, wanted, model=model or load_model(settings.model), dice=settings.seed, say=say
    )
    write(made, out)
    return made


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
    assert 2.4 <= onsets[-1] <= 4.0 + CLOSE_S + REACHED_S
    sampling = SETTINGS.sampling
    assert all(sampling.lowest_pitch <= n.pitch <= sampling.highest_pitch for n in track.performance.notes)


def test_the_same_seed_gives_the_same_bytes_and_another_others(seed_file: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{i}.mid" for i in range(3)]
    for path, seed in zip(files, (7, 7, 8), strict=True):
        generate(seed_file, path, replace(SETTINGS, seed=seed), 3.0)
    contents = [path.read_bytes() for path in files]
    assert contents[0] == contents[1] != contents[2]


def test_style_density_and_tempo_may_be_asked_and_what_comes_is_still_a_continuation(
    seed_file: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    settings = replace(SETTINGS, answer=Answer(style="jazz line", density_ratio=2.0))
    generate(seed_file, tmp_path / "out.mid", settings, 3.0, tempo_bpm=120.0, say=said.append)
    (track,) = read_midi(tmp_path / "out.mid")
    assert track.performance.notes[0].onset_s == 0.0
    assert said == []


@pytest.fixture
def improvisers(monkeypatch: pytest.MonkeyPatch) -> list[ScriptedImproviser]:
    """Every improviser that is made from now on, each playing what is written down."""
    made: list[ScriptedImproviser] = []

    def make(*_: object) -> ScriptedImproviser:
        made.append(ScriptedImproviser(0.5, endless=True))
        return made[-1]

    monkeypatch.setattr(generating, "improviser_of", make)
    return made


def test_density_is_times_that_of_the_seed(
    seed_file: Path, tmp_path: Path, improvisers: list[ScriptedImproviser]
) -> None:
    settings = replace(SETTINGS, answer=Answer(style="pop", density_ratio=2.0))
    generate(seed_file, tmp_path / "out.mid", settings, 3.0)
    assert improvisers[0].asks == [Ask("pop", pytest.approx(8.0, abs=0.02), 3.0)]


def test_of_a_seed_that_is_too_short_no_density_is_asked_and_that_is_said(
    tmp_path: Path, improvisers: list[ScriptedImproviser]
) -> None:
    said: list[str] = []
    write_midi(tmp_path / "one.mid", [Track("piano", Performance.of([Note(60, 60, 0.0, 1.0)]))])
    settings = replace(SETTINGS, answer=Answer(density_ratio=2.0))
    generate(tmp_path / "one.mid", tmp_path / "out.mid", settings, 3.0, say=said.append)
    assert improvisers[0].asks == [Ask(length_s=3.0)]
    assert said == ["What it goes on from is too short to have a density, so improv is as dense as it likes."]


@pytest.mark.usefixtures("improvisers")
def test_what_the_model_cannot_be_asked_is_said_and_it_goes_on(seed_file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    model = model_of(Events(), preset="performance-rnn")
    settings = replace(SETTINGS, answer=Answer(style="pop"))
    generate(seed_file, tmp_path / "out.mid", settings, 3.0, tempo_bpm=90.0, model=model, say=said.append)
    assert said == [
        "The model 'default' (preset performance-rnn) has not learned to heed style and tempo: it plays as "
        "it would without."
    ]
    assert (tmp_path / "out.mid").is_file()


def test_a_model_of_no_style_and_no_beats_goes_on_as_if_neither_were_asked(
    seed_file: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    model = model_trained_on()
    asked = replace(SETTINGS, answer=Answer(style="pop"))
    generate(seed_file, tmp_path / "plain.mid", SETTINGS, 3.0, model=model)
    generate(seed_file, tmp_path / "asked.mid", asked, 3.0, model=model, say=said.append)
    assert (tmp_path / "asked.mid").read_bytes() == (tmp_path / "plain.mid").read_bytes()
    generate(seed_file, tmp_path / "beats.mid", asked, 3.0, tempo_bpm=120.0, model=model, say=said.append)
    assert (tmp_path / "beats.mid").read_bytes() == (tmp_path / "plain.mid").read_bytes()
    in_vain = "The model 'default' (preset piano) has not learned to heed {}: it plays as it would without."
    assert said == [in_vain.format("style"), in_vain.format("style and tempo")]


def test_with_a_tempo_the_first_note_is_on_a_beat_and_the_others_are_read_with_theirs(
    seed_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Improviser] = []

    def make(*_: object) -> Improviser:
        made.append(improviser_of(model_that_plays(dt=250), seed=1))
        return made[-1]

    monkeypatch.setattr(generating, "improviser_of", make)
    generate(seed_file, tmp_path / "out.mid", SETTINGS, 2.0, tempo_bpm=60.0)
    names = [column.name for column in Piano.columns]
    phase, period = names.index("beat_phase"), names.index("beat_period")
    columns = np.concatenate([step.columns for step in made[0].window])
    assert set(columns[:16, phase]) == {24}
    assert columns[16, phase] == 0
    assert set(columns[16:, phase]) <= set(range(24))
    assert len(set(columns[16:, phase])) > 3
    assert set(columns[16:, period]) == {22}


def test_a_seed_file_without_notes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silent.mid"
    write_midi(path, [])
    with pytest.raises(MidiFileError, match=r"silent\.mid holds no notes\.$"):
        generate(path, tmp_path / "out.mid", SETTINGS, 2.0)


# --- how much -------------------------------------------------------------------------------------


def test_so_many_notes_are_so_many(seed_file: Path, tmp_path: Path) -> None:
    made = generate(seed_file, tmp_path / "out.mid", SETTINGS, 30.0, notes=23)
    assert [len(track.performance.notes) for track in made.tracks] == [23]
    (track,) = read_midi(tmp_path / "out.mid")
    assert len(track.performance.notes) == 23


def test_bars_are_filled_and_nothing_comes_after_them(
    tmp_path: Path, improvisers: list[ScriptedImproviser]
) -> None:
    waltz = tmp_path / "waltz.mid"
    notes = [Note(60 + i, 64, 0.5 * i, 0.6) for i in range(5)]
    write_midi(
        waltz, [Track("piano", Performance.of(notes))], conductor=conductor_of([(0.0, Metre(120.0, 3.0))])
    )
    said: list[str] = []
    made = generate(waltz, tmp_path / "out.mid", SETTINGS, 30.0, bars=2, say=said.append)
    (track,) = made.tracks
    assert [note.onset_s for note in track.performance.notes] == [0.5 * i for i in range(6)]
    assert track.performance.end_s <= 3.0
    assert improvisers[0].asks == [Ask(length_s=2.5)]
    assert improvisers[0].plan[0].onset_s == 3.0  # the bar line after the last note's onset at 2.0
    assert made.conductor.signatures == ((0, 3, 4),)
    assert said == [
        f"{waltz} tells of no tempo but the usual 120, so a beat is half a second; --tempo says otherwise."
    ]


def test_with_a_tempo_bars_are_of_it(
    seed_file: Path, tmp_path: Path, improvisers: list[ScriptedImproviser]
) -> None:
    said: list[str] = []
    made = generate(seed_file, tmp_path / "out.mid", SETTINGS, 1.0, bars=1, tempo_bpm=60.0, say=said.append)
    assert improvisers[0].asks == [Ask(length_s=3.0)]
    assert made.conductor == Conductor.steady(60.0)
    assert not any("half a second" in sentence for sentence in said)


# --- as what --------------------------------------------------------------------------------------


def test_it_sounds_on_the_instrument_that_is_asked(seed_file: Path, tmp_path: Path) -> None:
    generate(seed_file, tmp_path / "out.mid", SETTINGS, 2.0, program=11)
    (track,) = read_midi(tmp_path / "out.mid")
    assert (track.program, track.channel) == (11, 0)


def test_joined_the_seed_comes_first_and_improv_is_where_it_was_heard_to_end(
    seed_file: Path, tmp_path: Path
) -> None:
    alone = generate(seed_file, tmp_path / "alone.mid", SETTINGS, 3.0)
    made = generate(seed_file, tmp_path / "joined.mid", SETTINGS, 3.0, join=True)
    seed, improv = read_midi(tmp_path / "joined.mid")
    assert (seed.name, improv.name, seed.channel, improv.channel) == ("piano", "improv", 0, 1)
    assert seed.performance == read_midi(seed_file)[0].performance
    shift_s = made.tracks[-1].performance.notes[0].onset_s
    assert shift_s >= made.begin_s == pytest.approx(3.95, abs=0.001)
    moved = [note.onset_s - shift_s for note in made.tracks[-1].performance.notes]
    assert moved == pytest.approx([note.onset_s for note in alone.tracks[0].performance.notes])
    assert [text for _, text in made.conductor.markers] == ["seed", "improv"]


def test_joined_a_pedal_that_is_still_down_goes_up_where_improv_begins(tmp_path: Path) -> None:
    heard = Performance.of([Note(60, 64, 0.0, 1.0)], [ControlChange(64, 127, 0.5)])
    seed = Seed("x", (Track("x", heard),))
    made = compose(seed, SETTINGS, Wanted(1.0, join=True), model=load_model("default"), dice=7)
    assert made.tracks[0].performance.controls == (ControlChange(64, 127, 0.5), ControlChange(64, 0, 1.0))


def test_joined_tempos_and_bars_of_the_seed_stay_and_improvs_own_tempo_follows(
    tmp_path: Path, improvisers: list[ScriptedImproviser]
) -> None:
    path = tmp_path / "seed.mid"
    conductor = conductor_of([(0.0, Metre(100.0, 3.0)), (1.8, Metre(150.0, 3.0))])
    notes = [Note(60, 64, at_s, 0.4) for at_s in (0.0, 0.6, 1.2, 1.8)]
    write_midi(path, [Track("piano", Performance.of(notes))], conductor=conductor)
    made = generate(path, tmp_path / "out.mid", SETTINGS, 2.0, join=True)
    assert made.conductor.tempos == conductor.tempos
    assert made.conductor.signatures == conductor.signatures
    made = generate(path, tmp_path / "out.mid", SETTINGS, 2.0, join=True, bars=1, tempo_bpm=60.0)
    assert made.begin_s == pytest.approx(3.0)
    assert made.conductor.tempos == (*conductor.tempos, (2880 + 2880, 1_000_000))
    assert made.conductor.signatures == ((0, 3, 4), (5760, 3, 4))
    assert made.conductor.markers == ((0, "seed"), (5760, "improv"))
    onsets = [note.onset_s for note in made.tracks[-1].performance.notes]
    assert onsets == pytest.approx([3.0, 3.5, 4.0, 4.5, 5.0])


def test_joined_improv_has_a_channel_of_its_own(tmp_path: Path) -> None:
    voices = [
        Track(str(channel), Performance.of([Note(60, 64, 0.0, 1.0)]), channel=channel)
        for channel in (0, 1, 2, 9)
    ]
    made = compose(
        Seed("x", tuple(voices)), SETTINGS, Wanted(1.0, join=True), model=load_model("default"), dice=7
    )
    assert [track.channel for track in made.tracks] == [0, 1, 2, 9, 3]


def test_joined_to_a_file_that_has_all_channels_improv_changes_the_instrument_of_the_first() -> None:
    voices = [
        Track(str(channel), Performance.of([Note(60, 64, 0.0, 1.0)]), 30, channel) for channel in range(16)
    ]
    wanted = Wanted(1.0, join=True, program=11)
    made = compose(Seed("x", tuple(voices)), SETTINGS, wanted, model=load_model("default"), dice=7)
    improv = made.tracks[-1]
    assert (improv.channel, improv.program) == (0, 30)
    assert improv.messages == (ChannelMessage((PROGRAM, 11), 1.0),)


# --- from nothing ---------------------------------------------------------------------------------


def test_from_nothing_it_begins_by_itself_and_the_dice_decide(tmp_path: Path) -> None:
    made = [generate(None, tmp_path / "out.mid", replace(SETTINGS, seed=seed), 3.0) for seed in (3, 3, 4)]
    assert made[0] == made[1] != made[2]
    assert len(made[0].tracks[0].performance.notes) > 3


def test_from_nothing_bars_are_of_four_half_seconds_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    made = generate(None, tmp_path / "out.mid", SETTINGS, 1.0, bars=2, say=said.append)
    assert said == ["A beat is half a second; --tempo says otherwise."]
    assert made.tracks[0].performance.end_s <= 4.0


def test_from_nothing_there_is_nothing_to_join_to_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    made = generate(None, tmp_path / "out.mid", SETTINGS, 1.0, join=True, say=said.append)
    assert said == ["There is nothing that it could be joined to."]
    assert [track.name for track in made.tracks] == ["improv"]


def test_an_output_that_cannot_be_written_is_named(seed_file: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        generate(seed_file, tmp_path / "nowhere" / "out.mid", SETTINGS, 1.0)

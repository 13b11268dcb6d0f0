"""Tracks to arrays and files: as long as the music, as loud as it may be, never clipped."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from sound_checks import Sound, decoded, decoded_mp3, installed_soundfont, sound_of_floats

from improv_core.errors import SoundError, StorageError
from improv_core.midi_files import Track
from improv_core.notes import ControlChange, Note, Performance
from improv_daemon.phrases import demo_phrases
from improv_daemon.rendering import (
    SAMPLE_RATE,
    TAIL_S,
    RenderOptions,
    Tags,
    VoiceChoice,
    render_array,
    render_file,
    render_stems,
)
from improv_daemon.rendering.files import LOUDEST_GAIN, MAKEUP_GAIN
from improv_daemon.rendering.options import PEAK

FORTISSIMO = Performance.of(
    [Note(pitch, 127, 0.0, 2.0) for pitch in (28, 36, 43, 48, 52, 55, 60, 64, 67, 72)],
    [ControlChange(64, 127, 0.0)],
)
DRY = 0.0
SHORT = RenderOptions(tail_s=0.5)


@pytest.fixture(scope="module")
def voice() -> VoiceChoice:
    return VoiceChoice("soundfont", installed_soundfont(), DRY)


def one_note(
    onset_s: float = 0.0, duration_s: float = 0.5, pitch: int = 60, velocity: int = 90
) -> Performance:
    return Performance.of([Note(pitch, velocity, onset_s, duration_s)])


def rendered(
    voice: VoiceChoice, *tracks: Track, from_s: float = 0.0, to_s: float | None = None, tail_s: float = TAIL_S
) -> Sound:
    samples = render_array(tracks, voice, from_s=from_s, to_s=to_s, tail_s=tail_s)
    return sound_of_floats(samples, SAMPLE_RATE)


# --- what is heard --------------------------------------------------------------------------------


def test_sound_is_as_long_as_the_tracks_and_the_tail(voice: VoiceChoice) -> None:
    sound = rendered(voice, Track("a", one_note(1.0, 0.25)), Track("b", one_note(0.0, 0.5)))
    assert len(sound.samples) == round((1.25 + 3.0) * SAMPLE_RATE)


def test_a_note_sounds_at_its_onset_and_not_before(voice: VoiceChoice) -> None:
    sound = rendered(voice, Track("a", one_note(onset_s=1.2345)))
    assert sound.between(0.0, 1.2335).peak == 0.0
    assert 1.2335 <= sound.first_above(0.01) < 1.2345 + 0.02


def test_rendering_twice_gives_the_same_sound(voice: VoiceChoice) -> None:
    track = Track("a", demo_phrases()[0])
    first, second = (rendered(voice, track) for _ in range(2))
    assert np.array_equal(first.samples, second.samples)


def test_a_released_key_falls_silent(voice: VoiceChoice) -> None:
    sound = rendered(voice, Track("a", one_note(duration_s=0.5)))
    assert sound.between(0.2, 0.5).rms > 20 * sound.between(1.5, 2.0).rms


def test_the_pedal_keeps_a_released_key_sounding(voice: VoiceChoice) -> None:
    up = ControlChange(64, 0, 2.0)
    held = Track("a", Performance.of([Note(60, 90, 0.0, 0.2)], [ControlChange(64, 127, 0.0), up]))
    dry = Track("a", Performance.of([Note(60, 90, 0.0, 0.2)], [up]))
    assert rendered(voice, held).between(1.0, 1.5).rms > 10 * rendered(voice, dry).between(1.0, 1.5).rms


def test_an_overlapped_key_sounds_until_its_last_release(voice: VoiceChoice) -> None:
    notes = [Note(60, 90, 0.0, 1.0), Note(60, 90, 0.5, 1.5)]
    sound = rendered(voice, Track("a", Performance.of(notes)))
    assert sound.between(1.2, 1.8).rms > 10 * sound.between(3.0, 3.5).rms


def test_a_note_of_no_length_does_not_hang(voice: VoiceChoice) -> None:
    sound = rendered(voice, Track("a", one_note(duration_s=0.0)))
    assert sound.between(1.0, 1.5).rms < 0.01


def test_two_tracks_stand_apart(voice: VoiceChoice) -> None:
    silent = Track("b", Performance())
    left = rendered(voice, Track("a", one_note()), silent)
    right = rendered(voice, silent, Track("a", one_note()))
    on_the_left, on_the_right = (np.square(sound.samples).sum(axis=0) for sound in (left, right))
    assert on_the_left[0] / on_the_left[1] > 1.05 * on_the_right[0] / on_the_right[1]


def test_the_last_sample_is_silent_even_when_the_pedal_stays_down(voice: VoiceChoice) -> None:
    sound = rendered(voice, Track("a", FORTISSIMO))
    assert sound.between(sound.duration_s - 1.5, sound.duration_s - 1.0).rms > 0.003
    assert sound.between(sound.duration_s - 0.01, sound.duration_s).peak < 0.005


def test_program_and_drums_of_a_track_are_heard(voice: VoiceChoice) -> None:
    piano, organ, drums = (
        rendered(voice, Track("a", one_note(pitch=38), program, channel))
        for program, channel in ((0, 0), (19, 0), (0, 9))
    )
    ratio = [sound.between(0.3, 0.5).rms / sound.between(0.0, 0.2).rms for sound in (piano, organ, drums)]
    assert ratio[2] < ratio[0] < ratio[1]  # drums are gone, a piano fades, an organ does not


def test_more_tracks_than_midi_has_channels_all_sound(voice: VoiceChoice) -> None:
    tracks = [Track(str(place), Performance()) for place in range(20)]
    tracks.append(Track("last", one_note()))
    assert rendered(voice, *tracks).peak > 0.3


def test_reverb_rings_on_when_a_key_is_let_go(voice: VoiceChoice) -> None:
    track = Track("a", one_note(duration_s=0.3))
    wet = rendered(VoiceChoice("soundfont", voice.soundfont, 1.0), track)
    assert wet.between(1.0, 1.5).rms > 5 * rendered(voice, track).between(1.0, 1.5).rms


# --- parts ----------------------------------------------------------------------------------------


def test_a_part_begins_with_what_still_sounds(voice: VoiceChoice) -> None:
    notes = [Note(60, 90, 0.0, 4.0), Note(72, 90, 3.0, 1.0)]
    part = rendered(voice, Track("a", Performance.of(notes)), from_s=1.0, to_s=2.0, tail_s=1.0)
    assert part.duration_s == 2.0
    assert part.between(0.0, 0.1).rms > 5 * part.between(1.8, 2.0).rms  # let go at the part's end


def test_a_part_keeps_the_pedal_that_was_down(voice: VoiceChoice) -> None:
    pedal = [ControlChange(64, 127, 0.0), ControlChange(64, 0, 29.0)]
    notes = [Note(60, 90, 20.5, 0.1), Note(67, 20, 30.0, 0.1)]
    part = rendered(voice, Track("a", Performance.of(notes, pedal)), from_s=20.0, to_s=22.0)
    assert part.between(1.0, 2.0).rms > 0.02


def test_a_part_is_where_the_whole_is(voice: VoiceChoice) -> None:
    notes = [Note(60 + step, 40 + step, step * 1.0, 0.8) for step in range(20)]
    tracks = [Track("a", Performance.of(notes))]
    whole, part = rendered(voice, *tracks), rendered(voice, *tracks, from_s=15.0)
    assert len(part.samples) == len(whole.samples) - 15 * SAMPLE_RATE
    heard = whole.samples[15 * SAMPLE_RATE :]
    assert np.corrcoef(heard[:, 0], part.samples[:, 0])[0, 1] > 0.95


# --- files ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def phrases() -> list[Track]:
    asking, _, yielding = demo_phrases()
    return [Track("player", asking), Track("improv", yielding, channel=1)]


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg", ".wav"])
def test_a_file_is_to_the_sample_as_long_as_it_should_be_and_does_not_clip(
    suffix: str, voice: VoiceChoice, tmp_path: Path, phrases: list[Track]
) -> None:
    levels = render_file(phrases, tmp_path / f"a{suffix}", voice)
    sound = decoded(tmp_path / f"a{suffix}")
    span_s = max(track.performance.end_s for track in phrases)
    assert len(sound.samples) == round((span_s + TAIL_S) * SAMPLE_RATE)
    assert levels.length_s == sound.duration_s
    assert levels.peak_dbfs == pytest.approx(20 * np.log10(PEAK), abs=0.01)
    assert sound.peak == pytest.approx(PEAK, abs=0.08)
    assert -25 < levels.loudness_lufs < -10


@pytest.mark.parametrize("level", ["peak", "as is"])
def test_a_dense_fortissimo_of_hundreds_of_voices_does_not_clip(
    level: str, voice: VoiceChoice, tmp_path: Path
) -> None:
    keys = Performance.of([Note(pitch, 127, 0.0, 0.5) for pitch in range(21, 109)])
    tracks = [Track(str(place), keys, channel=place) for place in range(3)]
    options = RenderOptions(tail_s=0.5, level="peak" if level == "peak" else "as is")
    levels = render_file(tracks, tmp_path / "a.mp3", voice, options)
    assert levels.peak_dbfs == pytest.approx(20 * np.log10(PEAK), abs=0.01)
    assert decoded_mp3(tmp_path / "a.mp3").peak < 0.98


def test_quiet_playing_stays_quiet(voice: VoiceChoice, tmp_path: Path) -> None:
    tracks = [Track("a", one_note(velocity=8))]
    raised = render_file(tracks, tmp_path / "a.wav", voice, SHORT)
    own = render_file(tracks, tmp_path / "b.wav", voice, RenderOptions(tail_s=0.5, level="as is"))
    raised_by = 20 * np.log10(LOUDEST_GAIN / MAKEUP_GAIN)
    assert raised.peak_dbfs - own.peak_dbfs == pytest.approx(raised_by, abs=0.01)
    assert raised.peak_dbfs < -15


def test_gain_raises_an_instruments_own_level(voice: VoiceChoice, tmp_path: Path) -> None:
    tracks = [Track("a", one_note(velocity=30))]
    own, raised = (
        render_file(tracks, tmp_path / f"{gain_db}.wav", voice, RenderOptions(level="as is", gain_db=gain_db))
        for gain_db in (0.0, 6.0)
    )
    assert raised.peak_dbfs - own.peak_dbfs == pytest.approx(6.0, abs=0.01)
    assert raised.loudness_lufs - own.loudness_lufs == pytest.approx(6.0, abs=0.01)


def test_tracks_without_a_note_are_an_error_and_no_file(voice: VoiceChoice, tmp_path: Path) -> None:
    with pytest.raises(SoundError, match="There is no note to hear"):
        render_file([Track("a", Performance())], tmp_path / "a.mp3", voice)
    assert list(tmp_path.iterdir()) == []


def test_progress_rises_to_one(voice: VoiceChoice, tmp_path: Path) -> None:
    seen: list[float] = []
    render_file([Track("a", one_note())], tmp_path / "a.mp3", voice, SHORT, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert 0.4 in seen  # all is synthesised, and the encoding begins


def test_a_file_that_exists_is_not_overwritten(voice: VoiceChoice, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("mine")
    with pytest.raises(StorageError, match="exists already and is not overwritten"):
        render_file([Track("a", one_note())], path, voice, SHORT)
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]
    assert path.read_text() == "mine"


def test_a_file_that_may_be_replaced_is_replaced_by_a_whole_one(voice: VoiceChoice, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("old")
    with pytest.raises(SoundError):
        render_file([Track("a", Performance())], path, voice, RenderOptions(overwrite=True))
    assert path.read_text() == "old"
    render_file([Track("a", one_note())], path, voice, RenderOptions(tail_s=0.5, overwrite=True))
    assert decoded(path).duration_s == pytest.approx(1.0)
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]


def test_a_failure_on_the_way_leaves_no_file(voice: VoiceChoice, tmp_path: Path) -> None:
    def give_up(done: float) -> None:
        if done > 0.7:
            raise SoundError("given up")

    with pytest.raises(SoundError, match="given up"):
        render_file([Track("a", one_note())], tmp_path / "a.mp3", voice, progress=give_up)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_named(voice: VoiceChoice, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"gone/a.wav cannot be written"):
        render_file([Track("a", one_note())], tmp_path / "gone" / "a.wav", voice)


def test_a_kind_that_cannot_be_written_is_refused(voice: VoiceChoice, tmp_path: Path) -> None:
    with pytest.raises(SoundError, match=r"a.aac: a sound file's name ends with .mp3, .flac, .ogg or .wav"):
        render_file([Track("a", one_note())], tmp_path / "a.aac", voice)


def test_stems_laid_over_each_other_are_the_whole(
    voice: VoiceChoice, tmp_path: Path, phrases: list[Track]
) -> None:
    whole = RenderOptions(level="as is", gain_db=-12.0)
    render_file(phrases, tmp_path / "whole.wav", voice, whole)
    stems = render_stems(phrases, tmp_path / "a.wav", voice, whole)
    assert [path.name for path, _ in stems] == ["a-1-player.wav", "a-2-improv.wav"]
    laid_over = sum(decoded(path).samples for path, _ in stems)
    assert np.abs(laid_over - decoded(tmp_path / "whole.wav").samples).max() < 2e-3


# --- what may be missing --------------------------------------------------------------------------


def test_a_file_that_is_no_soundfont_is_named(voice: VoiceChoice, tmp_path: Path) -> None:
    assert voice.soundfont is not None
    wrong = tmp_path / "wrong.sf2"
    wrong.write_bytes(b"RIFF\x00\x00\x00\x00sfbk")
    with pytest.raises(SoundError, match=r"wrong.sf2 is not a soundfont"):
        render_array([Track("a", one_note())], VoiceChoice("auto", wrong))


def test_without_the_library_the_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, voice: VoiceChoice
) -> None:
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(SoundError, match=r"FluidSynth's library is missing: .*install"):
        render_array([Track("a", one_note())], voice)


@pytest.mark.parametrize(
    ("package", "suffix", "message"),
    [
        ("lameenc", ".mp3", "MP3 encoder is missing; install it with `pip install lameenc`"),
        ("soundfile", ".flac", "need the package soundfile; install it with `pip install soundfile`"),
    ],
)
def test_without_an_encoder_the_sentence_says_what_to_install(
    package: str,
    suffix: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    voice: VoiceChoice,
    tmp_path: Path,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SoundError, match=message):
        render_file([Track("a", one_note())], tmp_path / f"a{suffix}", voice)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_printed(voice: VoiceChoice, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    keys = Performance.of([Note(pitch, 100, step / 4, 9.0) for step in range(8) for pitch in range(21, 109)])
    render_file([Track("a", keys)], tmp_path / "a.mp3", voice, SHORT)  # more voices than it has
    assert capfd.readouterr() == ("", "")


def test_tags_are_text_whatever_a_files_name_is() -> None:
    tags = Tags(title="caf\udce9", artist="Café", comment="a\udcffb")
    assert (tags.title, tags.artist, tags.comment) == ("caf?", "Café", "a?b")

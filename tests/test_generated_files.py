"""The files that ``improv generate`` writes."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import mido
import pytest
from sound_checks import installed_soundfont

from improv_core.errors import SoundError, StorageError
from improv_core.midi_files import Track, read_midi, write_midi
from improv_core.notes import Note, Performance
from improv_daemon.generated_files import Outputs, generate, outputs_of
from improv_daemon.generating import Wanted
from improv_daemon.seeds import NOTHING, Seed, seeds
from improv_daemon.settings import Settings, Sound

SETTINGS = Settings(seed=7)
SCALE = Seed("scale", (Track("piano", Performance.of([Note(60 + i, 64, i / 4, 0.2) for i in range(12)])),))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def of_scale(dice: int) -> Seed:
    return SCALE


# --- where ----------------------------------------------------------------------------------------


def test_variations_are_numbered_and_one_alone_is_not() -> None:
    assert outputs_of(Path("a.mid"), 1, audio=False) == (Outputs(Path("a.mid"), None),)
    assert [output.midi.name for output in outputs_of(Path("a.b.mid"), 2, audio=False)] == [
        "a.b-1.mid",
        "a.b-2.mid",
    ]


def test_sound_is_beside_the_midi_file_of_whichever_one_is_named() -> None:
    assert outputs_of(Path("a.MID"), 1, audio=True)[0].paths == (Path("a.MID"), Path("a.mp3"))
    assert outputs_of(Path("a.flac"), 2, audio=True)[1].paths == (Path("a-2.mid"), Path("a-2.flac"))


def test_what_is_there_is_not_written_over_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "a-2.mid").write_bytes(b"mine")
    with pytest.raises(StorageError, match=r"a-2\.mid exists already; name another file, or add --force"):
        outputs_of(tmp_path / "a.mid", 2, audio=False)
    assert len(outputs_of(tmp_path / "a.mid", 2, audio=False, force=True)) == 2
    assert len(outputs_of(tmp_path / "a.mid", 1, audio=True)) == 1


def test_a_file_of_a_session_is_not_written_over_even_then(tmp_path: Path) -> None:
    for name in ("journal.jsonl", "session.mid"):
        (tmp_path / name).write_bytes(b"played")
    with pytest.raises(StorageError, match=r"session\.mid belongs to a session"):
        outputs_of(tmp_path / "session.mid", 1, audio=False, force=True)


def test_the_input_is_never_an_output(tmp_path: Path) -> None:
    seed_file = tmp_path / "a.mid"
    seed_file.write_bytes(b"mine")
    for out in ("a.mid", "a.mp3"):
        with pytest.raises(StorageError, match=r"a\.mid is the input too"):
            outputs_of(tmp_path / out, 1, audio=False, unlike=seed_file, force=True)


def test_other_endings_are_refused() -> None:
    with pytest.raises(StorageError, match=r"its name must end in \.mid or .* or \.wav\.$"):
        outputs_of(Path("a.txt"), 1, audio=False)


# --- what -----------------------------------------------------------------------------------------


def test_the_same_seed_writes_the_same_bytes_and_each_variation_that_of_a_seed_of_its_own(
    tmp_path: Path,
) -> None:
    written = []
    for name, seed, count in (("a", 7, 3), ("b", 7, 3), ("c", 9, 1)):
        (tmp_path / name).mkdir()
        outputs = outputs_of(tmp_path / name / "out.mid", count, audio=False)
        generate(of_scale, outputs, replace(SETTINGS, seed=seed), Wanted(3.0))
        written.append(files(tmp_path / name))
    assert written[0] == written[1]
    assert len(set(written[0].values())) == 3
    assert written[2]["out.mid"] == written[0]["out-3.mid"]


def test_random_pieces_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for i in range(4):
        notes = [Note(40 + i * 10 + k % 9, 64, k / 3, 0.3) for k in range(200)]
        write_midi(tmp_path / "data" / f"{i}.mid", [Track("piano", Performance.of(notes))])
    said: list[list[str]] = [[], []]
    for name, sentences in zip(("a", "b"), said, strict=True):
        (tmp_path / name).mkdir()
        outputs = outputs_of(tmp_path / name / "out.mid", 3, audio=False)
        seed_of = seeds(None, tmp_path / "data", None, say=sentences.append)
        generate(seed_of, outputs, SETTINGS, Wanted(3.0, join=True))
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert said[0] == said[1]
    assert len(set(said[0])) == 3


def test_what_was_written_is_said_with_the_seed_where_nobody_named_it(tmp_path: Path) -> None:
    said: list[str] = []
    out = tmp_path / "out.mid"
    generate(lambda dice: NOTHING, outputs_of(out, 1, audio=False), SETTINGS, Wanted(2.0), say=said.append)
    assert said == [f"Wrote {out}."]
    outputs = outputs_of(out, 1, audio=False, force=True)
    generate(lambda dice: NOTHING, outputs, replace(SETTINGS, seed=0), Wanted(2.0), say=said.append)
    written, seed = out.read_bytes(), int(said[1].removeprefix(f"Wrote {out} (seed ").removesuffix(")."))
    generate(lambda dice: NOTHING, outputs, replace(SETTINGS, seed=seed), Wanted(2.0))
    assert out.read_bytes() == written


def test_what_holds_for_all_variations_is_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    outputs = outputs_of(tmp_path / "out.mid", 2, audio=False)
    generate(lambda dice: NOTHING, outputs, SETTINGS, Wanted(bars=1), say=said.append)
    written = [f"Wrote {tmp_path / f'out-{i + 1}.mid'} (seed {7 + i})." for i in range(2)]
    assert said == ["A beat is half a second; --tempo says otherwise.", *written]


def test_the_seed_after_the_highest_is_the_first(tmp_path: Path) -> None:
    dice: list[int] = []

    def note(number: int) -> Seed:
        dice.append(number)
        return SCALE

    outputs = outputs_of(tmp_path / "out.mid", 3, audio=False)
    generate(note, outputs, replace(SETTINGS, seed=2**32 - 2), Wanted(1.0))
    assert dice == [2**32 - 2, 2**32 - 1, 1]


def test_what_made_a_file_is_written_in_it(tmp_path: Path) -> None:
    out = tmp_path / "out.mid"
    generate(of_scale, outputs_of(out, 1, audio=False), SETTINGS, Wanted(1.0))
    texts = [message.text for message in mido.MidiFile(out).tracks[0] if message.type == "text"]
    assert texts == [f"improv {version('improv-midi')}", "model default", "seed 7"]


# --- sound ----------------------------------------------------------------------------------------


def test_the_sound_is_as_long_as_the_notes_below_full_scale_and_tagged(tmp_path: Path) -> None:
    installed_soundfont()
    import soundfile

    said: list[str] = []
    out = tmp_path / "out.mp3"
    generate(of_scale, outputs_of(out, 1, audio=False), SETTINGS, Wanted(2.0, join=True), say=said.append)
    midi = tmp_path / "out.mid"
    samples, rate = soundfile.read(out)
    end_s = max(track.performance.end_s for track in read_midi(midi))
    assert len(samples) / rate == pytest.approx(end_s + 3.0, abs=0.1)
    assert 0.3 < abs(samples).max() < 1.0
    assert abs(samples[: round(0.5 * rate)]).max() > 0.01
    assert b"Model default, seed 7" in out.read_bytes()[:2000]
    assert said[0].startswith(f"Wrote {midi} and {out}: 0:{round(end_s + 3.0):02}, peak -")
    assert said[0].endswith(" LUFS.")


def test_where_no_sound_can_be_made_the_midi_file_is_there_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    settings = replace(SETTINGS, sound=Sound(voice="soundfont", soundfont=str(tmp_path / "no.sf2")))
    out = tmp_path / "out.mid"
    with pytest.raises(SoundError, match=r"no\.sf2"):
        generate(of_scale, outputs_of(out, 1, audio=True), settings, Wanted(1.0), say=said.append)
    assert said == [f"Wrote {out}."]
    assert mido.MidiFile(out).length > 0.5
    assert not (tmp_path / "out.mp3").exists()

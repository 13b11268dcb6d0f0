"""improv as a process where there is no MIDI, no MIDI library, or bad input: it starts, or says why not."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from improv_process import ImprovProcess, environment, run_improv
from midi_checks import polyphony
from sound_checks import decoded_mp3, installed_soundfont

from improv_core.midi_files import Track, read_midi, write_midi
from improv_core.notes import Note, Performance
from improv_daemon.journal import read_journal
from improv_daemon.phrases import demo_phrases
from improv_daemon.rendering import TAIL_S

NO_JACK = {"JACK_DEFAULT_SERVER": "improv-no-such-server", "JACK_NO_START_SERVER": "1"}
NO_LIBRARY = (
    'raise ImportError("libasound.so.2: cannot open shared object file: No such file or directory")\n'
)


def without_rtmidi(folder: Path) -> dict[str, str]:
    """Variables with which every Python process fails to import rtmidi, as without its C library."""
    stubs = folder / "stubs"
    (stubs / "rtmidi").mkdir(parents=True)
    (stubs / "rtmidi" / "__init__.py").write_text(NO_LIBRARY)
    ours = environment(folder / "home")["PYTHONPATH"]
    return {"PYTHONPATH": os.pathsep.join((str(stubs), ours))}


def test_play_without_any_midi_says_in_a_few_lines_what_is_missing_and_names_the_demo(tmp_path: Path) -> None:
    with ImprovProcess(
        "play", "--no-sound", "-o", "ports.api=jack", folder=tmp_path, extra=NO_JACK
    ) as improv:
        improv.wait_for_text("improv demo")
        status, took_s = improv.stop(signal.SIGINT)
    assert status == 0
    assert took_s < 1.0
    assert improv.lines == [
        "improv listens to nothing yet.\n",
        "It plays to nothing yet.\n",
        "Model default, mode answer. Ctrl-C stops.\n",
        "Note: No MIDI ports: no JACK server is running; start one.\n",
        "Without MIDI and sound, try: improv demo\n",
    ]


def test_play_with_the_midi_library_missing_still_starts_and_says_so(tmp_path: Path) -> None:
    with ImprovProcess("play", "--no-sound", folder=tmp_path, extra=without_rtmidi(tmp_path)) as improv:
        improv.wait_for_text("improv demo")
        status, took_s = improv.stop(signal.SIGINT)
    assert status == 0
    assert took_s < 1.0
    assert "Note: No MIDI ports: " in improv.text
    assert "sudo apt install libasound2" in improv.text
    assert len(improv.lines) <= 6
    assert "Traceback" not in improv.text


def test_ctrl_c_before_it_is_up_ends_it_with_status_0(tmp_path: Path) -> None:
    with ImprovProcess("play", "--no-sound", "-o", "ports.api=none", folder=tmp_path) as improv:
        improv.wait_for_stage()
        status, took_s = improv.stop(signal.SIGINT)
    assert status == 0
    assert took_s < 1.0
    assert "Traceback" not in improv.text


def test_demo_leaves_midi_and_mp3_of_a_conversation(tmp_path: Path) -> None:
    installed_soundfont()
    demo = ("demo", "kept", "--no-sound", "-o", "ports.api=none", "-o", "answer.length_max_s=1.5")
    with ImprovProcess(*demo, folder=tmp_path) as improv:
        assert improv.wait(90) == 0
        text = improv.text
    assert "Without MIDI" not in text
    assert text.count("   you  ") >= len(demo_phrases())
    assert text.count("\nimprov  ") >= len(demo_phrases())
    (journal,) = (tmp_path / "kept").glob("*/journal.jsonl")
    folder = journal.parent
    assert f"Kept kept/{folder.name}: session.mid and session.mp3 (0:" in text
    assert sorted(path.name for path in folder.iterdir()) == [
        *("journal.jsonl", "session.mid", "session.mp3", "summary.json")
    ]
    player, improv_track = read_midi(folder / "session.mid")
    called = [note for phrase in demo_phrases() for note in phrase.notes]
    assert len(player.performance.notes) == len(called)
    assert polyphony(improv_track.performance.notes) >= 2
    assert (read_journal(journal).damaged, read_journal(journal).torn) == (0, False)
    end_s = max(track.performance.end_s for track in (player, improv_track))
    sound = decoded_mp3(folder / "session.mp3")
    assert sound.duration_s == pytest.approx(end_s + TAIL_S, abs=0.1)
    assert 0.1 < sound.peak < 0.98
    assert sound.rms > 0.01


def test_bad_input_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    (tmp_path / "not-a-model.onnx").write_bytes(b"\x08\x07garbage" * 40)
    (tmp_path / "taken").write_text("")
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "text.mid").write_text("this is no MIDI file\n" * 9)
    seed = tmp_path / "seed.mid"
    write_midi(seed, [Track("a", Performance.of([Note(60 + n, 80, n * 0.2, 0.2) for n in range(40)]))])
    (tmp_path / "cut.mid").write_bytes(seed.read_bytes()[: seed.stat().st_size // 2])
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    cases: list[tuple[tuple[str, ...], str]] = [
        (("play", "--model", "not-a-model.onnx"), "not-a-model.onnx"),
        (("play", "--model", "no-such.onnx"), "no-such.onnx"),
        (("play", "-o", "answer.lenght_ratio=2"), "answer.length_ratio"),
        (("play", "-o", "sampling.min_p=7"), "sampling.min_p"),
        (("record", "taken"), "taken"),
        (("generate", "no.mid", "-o", "out.mid"), "no.mid"),
        (("generate", "empty.mid", "-o", "out.mid"), "empty.mid"),
        (("generate", "text.mid", "-o", "out.mid"), "text.mid"),
        (("generate", "cut.mid", "-o", "out.mid"), "cut.mid"),
        (("play", "-o", "ports.api=jack", "--in", "organ"), "JACK"),
    ]
    if os.geteuid() != 0:  # nothing is locked for root
        cases.append((("record", str(locked / "kept")), "locked"))
    said = {arguments: run_improv(*arguments, folder=tmp_path, extra=NO_JACK) for arguments, _ in cases}
    wrong = {
        arguments: (said[arguments].returncode, said[arguments].stdout, said[arguments].stderr)
        for arguments, named in cases
        if not _is_one_sentence_about(named, said[arguments])
    }
    assert wrong == {}
    assert not (tmp_path / "out.mid").exists()


def _is_one_sentence_about(named: str, process: subprocess.CompletedProcess[str]) -> bool:
    return (
        process.returncode == 2
        and process.stdout == ""
        and process.stderr.count("\n") == 1
        and process.stderr.endswith((".\n", "?\n"))
        and named in process.stderr
    )

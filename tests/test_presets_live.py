"""Every preset from a folder of MIDI files to a live answer: one code path, whatever the model reads."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playing import Room
from tiny_corpora import random_performance, require_training_extra, scale, write_corpus

from improv_core.closing import CLOSE_S, REACHED_S
from improv_core.midi_files import read_performance
from improv_core.model import Model
from improv_core.notes import Performance
from improv_daemon import cli
from improv_daemon.building import improviser_of, partner_of
from improv_daemon.models import borrowing
from improv_daemon.partner import AnswerEnded, CallHeard, Notice
from improv_daemon.settings import Settings
from improv_training.presets import preset_names

PRESETS = preset_names()
SMALL = ("--hidden", "16", "--width", "16", "--lanes", "4", "--chunk", "16", "--validate-every", "3")
LACKS = {
    "frames": "loudness and pedal",
    "pitch-onehot": "timing, note lengths, loudness and pedal",
    "pitch-step-duration": "loudness and pedal",
    **dict.fromkeys(
        ("symbols", "symbols-3x512", "symbols-normal-order"), "timing, note lengths, loudness and pedal"
    ),
}

every_preset = pytest.mark.parametrize("preset", PRESETS)


@dataclass(frozen=True, slots=True)
class Trained:
    """What there is after a run that was killed and gone on with for six updates.

    Attributes:
        model: The exported file.
        updates: In the last checkpoint before the kill, and at the end.
    """

    model: Path
    updates: tuple[int, int]


def train_until_killed(run: Path, *arguments: object) -> None:
    """Train in a process of its own, and kill it after its second validation."""
    command = [sys.executable, "-m", "improv_daemon", "train", "-o", run, *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [str(part) for part in command], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "update 6," in line)
        process.kill()
    assert process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some music."""
    require_training_extra()
    folder = tmp_path_factory.mktemp("presets")
    pieces: dict[str, Performance] = {f"{i}.mid": random_performance(60 + 9 * i, seed=i) for i in range(8)}
    scales = {f"scale{i}.mid": scale(40 + i) for i in range(4)}
    write_corpus(folder / "songs", pieces | scales)
    return folder


def improv(*arguments: object) -> None:
    """Run the command line; it must succeed."""
    assert cli.main([str(argument) for argument in arguments]) == 0


@pytest.fixture(scope="module")
def trained(workshop: Path) -> functools._lru_cache_wrapper[Trained]:
    """Trains a preset, kills the run, goes on with it, and exports it; each preset once."""

    @functools.cache
    def train(preset: str) -> Trained:
        from improv_training.engine.checkpoints import load_checkpoint

        run, cache, model = workshop / preset, workshop / "cache", workshop / f"{preset}.onnx"
        songs = (workshop / "songs", "--cache", cache)
        train_until_killed(run, *songs, "--preset", preset, *SMALL, "--updates", 100_000)
        first = load_checkpoint(run / "last.ckpt").updates
        improv("train", *songs, "-o", run, "--resume", "--updates", first + 6)
        second = load_checkpoint(run / "last.ckpt").updates
        improv("export", run / "last.ckpt", "-o", model, "--proof", workshop / "songs" / "3.mid")
        return Trained(model, (first, second))

    return train


@every_preset
def test_a_preset_trains_goes_on_after_a_kill_and_exports(
    preset: str, trained: functools._lru_cache_wrapper[Trained]
) -> None:
    made = trained(preset)
    first, last = made.updates
    assert first >= 3
    assert first % 3 == 0
    assert last == first + 6
    model = Model.load(made.model)
    assert model.preset == preset
    assert model.metadata["trained"]["updates"] == last
    assert ("openings" in model.metadata) == (preset == "symbols-normal-order")


@every_preset
def test_a_preset_is_evaluated_as_it_is_exported(
    preset: str, workshop: Path, trained: functools._lru_cache_wrapper[Trained], tmp_path: Path
) -> None:
    model, rest = trained(preset).model, (workshop / "songs", "--cache", workshop / "cache")
    nats = []
    for source, name in ((model, "model.json"), (workshop / preset / "last.ckpt", "checkpoint.json")):
        improv("evaluate", source, *rest, "-o", tmp_path / name)
        (figures,) = json.loads((tmp_path / name).read_text())["corpora"]
        nats.append(figures["nats_per_note"]["model"]["sum"])
    assert nats[0] == pytest.approx(nats[1], rel=1e-4)
    assert 3 < nats[0] < 40


@every_preset
def test_a_preset_generates_and_says_what_it_lacks(
    preset: str,
    workshop: Path,
    trained: functools._lru_cache_wrapper[Trained],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    model, out = trained(preset).model, tmp_path / "out.mid"
    capfd.readouterr()
    seed_file = workshop / "songs" / "5.mid"
    improv("generate", seed_file, "-o", out, "--model", model, "--seed", 3, "--length", 6)
    said = capfd.readouterr().out.splitlines()
    lacks = LACKS.get(preset)
    if lacks is not None:
        sentence = f"The model 'mine' (preset {preset}) knows nothing of {lacks}: improv takes them from "
        assert said.pop(0) == f"{sentence}what was played last."
    assert said == [f"Wrote {out}."]
    notes = read_performance(out).notes
    assert len(notes) >= 4
    assert max(note.onset_s for note in notes) <= 6.0 + CLOSE_S + REACHED_S


@every_preset
def test_a_preset_is_shown(
    preset: str, trained: functools._lru_cache_wrapper[Trained], capfd: pytest.CaptureFixture[str]
) -> None:
    made = trained(preset)
    capfd.readouterr()
    improv("show", made.model, "--json")
    facts = json.loads(capfd.readouterr().out)
    assert (facts["preset"], facts["trained"]["updates"]) == (preset, made.updates[1])
    lacks = LACKS.get(preset, "").replace(" and ", ", ")
    assert ", ".join(facts["lacks"]) == lacks
    assert facts["openings"] == 0 or preset == "symbols-normal-order"
    improv("show", made.model)
    assert capfd.readouterr().out.count("not stated") == 3


@every_preset
def test_a_preset_begins_by_itself_or_within_a_random_piece_and_the_same_seed_gives_the_same_bytes(
    preset: str, workshop: Path, trained: functools._lru_cache_wrapper[Trained], tmp_path: Path
) -> None:
    model = trained(preset).model
    contents = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        out = tmp_path / f"{name}.mid"
        improv("generate", "-o", out, "--model", model, "--seed", seed, "--notes", 20)
        data = tmp_path / f"{name} of data.mid"
        random_piece = ("--data", workshop / "songs", "--variations", 2, "--join", "--bars", 2)
        improv("generate", *random_piece, "-o", data, "--model", model, "--seed", seed)
        contents.append(
            [data.with_stem(f"{data.stem}-{i}").read_bytes() for i in (1, 2)] + [out.read_bytes()]
        )
        assert len(read_performance(out).notes) == 20
    assert contents[0] == contents[1] != contents[2]


def unmatched(sent: Sequence[tuple[float, tuple[int, ...]]]) -> set[int]:
    """Pitches that sound at the end; on the way no pitch is struck while it sounds, nor ended without."""
    down: set[int] = set()
    for _, (status, pitch, *_) in sent:
        if status & 0xF0 == 0x90:
            assert pitch not in down
            down.add(pitch)
        elif status & 0xF0 == 0x80:
            down.remove(pitch)
    return down


@every_preset
def test_a_preset_answers_yields_and_leaves_no_note_on(
    preset: str, trained: functools._lru_cache_wrapper[Trained]
) -> None:
    model, notices = Model.load(trained(preset).model), list[Notice]()
    settings = Settings(seed=5)
    partner = partner_of(settings, improviser_of(settings, model, 5), notices.append)
    room = Room(partner)
    for interrupt_after_s in (None, 1.0, None):
        room.call(60, 64, 67, 72, 71)
        room.press(48, 55)
        room.run_for(0.3)
        room.release(48, 55)
        room.run_for(12.0 if interrupt_after_s is None else interrupt_after_s)
    assert unmatched(room.sent) == set()
    assert room.performer.silent
    calls = [notice for notice in notices if isinstance(notice, CallHeard)]
    answers = [notice for notice in notices if isinstance(notice, AnswerEnded)]
    assert [answer.yielded for answer in answers] == [False, True, False]
    assert len(calls) == 3
    assert all(answer.pitches for answer in answers if not answer.yielded)
    assert borrowing(model) is None or preset in LACKS
    velocities = {data[2] for _, data in room.sent if data[0] & 0xF0 == 0x90}
    assert velocities == {64} or "loudness" not in LACKS.get(preset, "")


@every_preset
def test_the_same_seed_answers_alike(preset: str, trained: functools._lru_cache_wrapper[Trained]) -> None:
    model = Model.load(trained(preset).model)
    sent = []
    for seed in (7, 7, 8):
        settings = replace(Settings(), seed=seed)
        room = Room(partner_of(settings, improviser_of(settings, model, seed), lambda notice: None))
        room.call(60, 64, 67, 72)
        room.run_for(8.0)
        sent.append(room.sent)
    assert sent[0] == sent[1] != sent[2]

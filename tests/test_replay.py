"""Determinism: the journal of a sitting says all that improv's notes depend on."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from conftest import run_virtual
from playing import packaged_model

from improv_core import seed_window
from improv_core.drawing import Dice
from improv_core.errors import StorageError
from improv_core.midi_files import Track, write_midi
from improv_core.notes import Note, Performance
from improv_daemon.building import prime_partner, sitting_partner
from improv_daemon.conversation import Conversation
from improv_daemon.journal import InForce, Journal, JournalWriter, read_journal
from improv_daemon.journal._encoder import flat
from improv_daemon.journal._format import line_of
from improv_daemon.partner import recollection, together
from improv_daemon.partner.partner import MODES
from improv_daemon.replaying import commands_of, partner_of, replayed
from improv_daemon.settings import Answer, Memory, Settings, Solo, Time
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.wire import (
    CancelTurn,
    Change,
    Command,
    Cue,
    FinishTurn,
    KeepTime,
    MovePedal,
    Panic,
    PlayNote,
    Woken,
)

SEED = 20261120
CANDIDATES = 4
LONGEST_NOTE_S = 25.0
CUES = ("again", "undo", "loop", "another", "mute", "panic", "mute", "loop", "undo")
CHANGES = (
    Change("answer.length_ratio", 1.7),
    Change("sampling.temperature_pitch", 1.3),
    Change("memory.follow", 0.4),
    Change("yielding.how", "finish_note"),
    Change("sampling.scale", "auto"),
    Change("yielding.how", "overlap"),
    Change("memory.window_notes", 64),
    Change("yielding.how", "finish_phrase"),
    Change("sampling.polyphony", 3),
    Change("yielding.how", "cut"),
)


class Sitting:
    """A player at a stage in memory, and improv, whose journal is kept."""

    def __init__(self, path: Path, settings: Settings, seed: int = SEED, players_seed: int = 0) -> None:
        self._path, self._settings, self._seed = path, settings, seed
        self._chance = random.Random(players_seed)
        self.commands: list[Command] = []
        self.settings_at_the_end = settings

    async def play(self, calls: int) -> Journal:
        """So many calls, some into what improv plays, in one mode after another, with changes between."""
        journal = JournalWriter(
            self._path,
            model=packaged_model().name,
            seed=self._seed,
            settings=asdict(self._settings),
            started_at=datetime(2026, 11, 20, tzinfo=UTC),
            now_s=asyncio.get_running_loop().time(),
            on_trouble=pytest.fail,
            settings_now=lambda: partner.settings,
        )
        partner = sitting_partner(self._settings, packaged_model(), self._seed)
        prime_partner(partner, asyncio.get_running_loop().time())
        with journal:
            async with _Listened(self.commands) as stage:
                conversation = Conversation(stage, partner, journal)
                running = asyncio.create_task(conversation.run())
                for number, mode in enumerate(self._modes(calls)):
                    conversation.wish(Change("mode", mode))
                    conversation.wish(CHANGES[number % len(CHANGES)])
                    await self._call(stage)
                    if self._chance.random() < 0.3:
                        conversation.wish(Cue("hand_over"))
                    await asyncio.sleep(self._chance.choice((0.3, 1.7, 2.2, 3.5, 9.0)))
                    if number % 3 == 2:
                        conversation.wish(Cue(CUES[number // 3 % len(CUES)]))
                        await asyncio.sleep(self._chance.choice((0.1, 2.0)))
                conversation.wish(Change("mode", "listen"))
                await asyncio.sleep(LONGEST_NOTE_S)
                assert stage.silent
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running
        self.settings_at_the_end = partner.settings
        return read_journal(self._path)

    def _modes(self, calls: int) -> Iterator[str]:
        modes = [mode for mode in MODES if mode != "listen"]
        for i in range(calls):
            yield modes[i * len(modes) // calls]

    async def _call(self, stage: VirtualStage) -> None:
        chance = self._chance
        stage.play(0xB0, 64, chance.choice((0, 127)))
        for _ in range(chance.randrange(3, 9)):
            pitch = chance.randrange(48, 84)
            stage.play(0x90, pitch, chance.randrange(30, 100))
            await asyncio.sleep(chance.uniform(0.05, 0.3))
            stage.play(0x80, pitch, 0)
            await asyncio.sleep(chance.uniform(0.0, 0.2))


class _Listened(VirtualStage):
    """Writes down what it is sent."""

    def __init__(self, commands: list[Command]) -> None:
        super().__init__()
        self._commands = commands

    def send(self, command: Command) -> None:
        self._commands.append(command)
        super().send(command)


def settings_of(candidates: int = CANDIDATES) -> Settings:
    return replace(
        Settings(), answer=replace(Answer(), candidates=candidates), memory=replace(Memory(), recall=0.5)
    )


def settings_at_the_end(journal: Journal) -> dict[str, object]:
    """By key: those of the first line, and the changes since."""
    values = flat(journal.header.settings)
    changes = [entry.message for entry in journal.entries if isinstance(entry.message, InForce)]
    assert len(changes) > 10
    for change in changes:
        values |= change.values
    return values


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


@pytest.mark.virtual_time
async def test_a_replayed_sitting_gives_the_same_commands_to_the_bit(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path / "sitting.jsonl", settings_of())
    journal = await sitting.play(calls=25)
    again = list(replayed(journal, partner_of(journal, packaged_model())))
    assert [command for _, command in again] == sitting.commands[:-1]  # the last is the stage's Quit
    assert again == list(commands_of(journal))
    assert settings_at_the_end(journal) == json.loads(json.dumps(flat(sitting.settings_at_the_end)))
    for kind in (PlayNote, MovePedal, CancelTurn, FinishTurn, Panic):
        assert any(isinstance(command, kind) for _, command in again), f"no {kind.__name__} in the sitting"


@pytest.mark.virtual_time
async def test_a_solo_from_a_file_is_replayed_from_it(tmp_path: Path) -> None:
    primed = tmp_path / "prime.mid"
    notes = [Note(60 + 2 * i, 70, 0.25 * i, 0.2) for i in range(8)]
    write_midi(primed, [Track("piano", Performance.of(notes))])
    settings = replace(settings_of(candidates=1), mode="solo", solo=Solo(str(primed)))
    journal = await Sitting(tmp_path / "sitting.jsonl", settings).play(calls=1)
    partner = partner_of(journal, packaged_model())
    assert [note.pitch for note in partner.improviser.heard] == [note.pitch for note in notes]
    assert list(replayed(journal, partner)) == list(commands_of(journal))


REPLAY = """
import sys
from pathlib import Path
from improv_daemon.journal import read_journal
from improv_daemon.models import load_model
from improv_daemon.journal._encoder import flat
from improv_daemon.journal._format import line_of
from improv_daemon.replaying import partner_of, replayed
journal = read_journal(Path(sys.argv[1]))
for given in replayed(journal, partner_of(journal, load_model("default"))):
    print(given)
"""


def test_another_process_replays_the_same(tmp_path: Path) -> None:
    journal = run_virtual(Sitting(tmp_path / "sitting.jsonl", settings_of()).play(calls=6))
    environment = os.environ | {"PYTHONHASHSEED": "5", "PYTHONPATH": os.pathsep.join(sys.path)}
    again = subprocess.run(
        [sys.executable, "-c", REPLAY, journal.path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert again.stderr == ""
    assert again.stdout.splitlines() == [str(given) for given in commands_of(journal)]


def test_the_same_playing_gives_the_same_notes_and_another_seed_gives_others(tmp_path: Path) -> None:
    played = []
    for name, seed in (("one", SEED), ("same", SEED), ("other", SEED + 1)):
        sitting = Sitting(tmp_path / f"{name}.jsonl", settings_of(candidates=2), seed)
        run_virtual(sitting.play(calls=4))
        played.append([command for command in sitting.commands if isinstance(command, PlayNote)])
    assert len(played[0]) > 10
    assert played[0] == played[1] != played[2]


@pytest.mark.virtual_time
async def test_what_the_journal_lacks_makes_a_replay_impossible(tmp_path: Path) -> None:
    path = tmp_path / "sitting.jsonl"
    await Sitting(path, settings_of(candidates=1)).play(calls=2)
    lines = lines_of(path)

    def refusal_of(kept: list[str]) -> str:
        path.write_text("".join(kept))
        journal = read_journal(path)
        with pytest.raises(StorageError) as refused:
            replayed(journal, partner_of(journal, packaged_model()))
        return str(refused.value)

    so = " What improv plays depends on all that came before, so this sitting cannot be replayed."
    full_disk = [*lines[:5], line_of({"lost_lines": 7, "from_s": 1.0, "now_s": 2.0}).decode(), *lines[12:]]
    assert refusal_of(full_disk) == (
        f"7 messages could not be written to {path} while you played (from 0:01 to 0:02).{so}"
    )
    damaged = [*lines[:5], lines[5][4:], *lines[6:]]
    assert refusal_of(damaged) == f"One line of {path} could not be read and is left out (at 0:00).{so}"
    no_header = [lines[0][4:], *lines[1:]]
    assert refusal_of(no_header) == (
        f"The first line of {path} is damaged: with which settings and model it was played is not known, "
        "so it cannot be replayed."
    )


@pytest.mark.virtual_time
async def test_a_sitting_that_ended_in_a_crash_is_replayed_as_far_as_it_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "sitting.jsonl"
    whole = list(commands_of(await Sitting(path, settings_of(candidates=1)).play(calls=4)))
    lines = lines_of(path)
    path.write_text("".join(lines[: len(lines) // 2])[:-9])
    journal = read_journal(path)
    assert journal.torn
    again = list(replayed(journal, partner_of(journal, packaged_model())))
    assert len(again) >= len(list(commands_of(journal))) > 5
    assert again == whole[: len(again)]


@pytest.mark.virtual_time
async def test_the_partner_of_a_sitting_has_its_settings_seed_and_model(tmp_path: Path) -> None:
    path, settings = tmp_path / "sitting.jsonl", replace(settings_of(candidates=1), mode="solo")
    journal = await Sitting(path, settings).play(calls=1)
    assert partner_of(journal, packaged_model()).settings == settings
    header = json.loads(lines_of(path)[0])
    del header["crc"]

    def refusal_of(**others: object) -> str:
        path.write_bytes(line_of(header | others))
        with pytest.raises(StorageError) as refused:
            partner_of(read_journal(path), packaged_model(), "ab" * 32)
        return str(refused.value)

    assert refusal_of(model="another") == (
        f"The sitting in {path} was played by the model 'another', and this one is 'default'; replay it with "
        "the one that played."
    )
    assert refusal_of(model_hash="cd" * 32) == (
        f"The sitting in {path} was played by another model of the name 'default' than this one; replay it "
        "with the one that played."
    )
    other_version = (
        f"{path} was written by another version of improv, with other settings; replay it with that version."
    )
    for unknown in ({"tempo": 3}, {"answer": {"tempo": 3}}, {"answer": 3}, {"mode": "sleep"}, {"seed": "x"}):
        assert refusal_of(settings=header["settings"] | unknown) == other_version


@pytest.mark.virtual_time
async def test_a_wish_that_comes_before_anything_else_comes_after_the_beginning(tmp_path: Path) -> None:
    time = replace(Time(), metronome=True, tempo_bpm=100.0)
    sitting = Sitting(
        tmp_path / "sitting.jsonl", replace(settings_of(candidates=1), mode="listen", time=time)
    )
    journal = await sitting.play(calls=1)
    begun, *_ = journal.entries
    assert isinstance(begun.message, KeepTime)
    again = list(replayed(journal, partner_of(journal, packaged_model())))
    assert again == list(commands_of(journal))
    assert [command for _, command in again] == sitting.commands[:-1]


@pytest.mark.virtual_time
async def test_silence_costs_the_journal_next_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sitting.jsonl"
    with JournalWriter(
        path, model="default", seed=1, settings={}, started_at=datetime(2026, 11, 20, tzinfo=UTC), now_s=0.0
    ) as journal:
        async with VirtualStage() as stage:
            partner = sitting_partner(settings_of(), packaged_model(), SEED)
            running = asyncio.create_task(Conversation(stage, partner, journal).run())
            for pitch in (60, 64, 67):
                stage.play(0x90, pitch, 70)
                await asyncio.sleep(0.2)
                stage.play(0x80, pitch, 0)
            await asyncio.sleep(60.0)
            assert journal.flush(30.0)
            answered = path.stat().st_size
            await asyncio.sleep(8 * 3600.0)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
    kept = [entry.message for entry in read_journal(path).entries]
    assert any(isinstance(message, PlayNote) for message in kept)
    assert sum(isinstance(message, Woken) for message in kept) < 1000
    assert path.stat().st_size - answered < 1000


def test_what_is_drawn_and_what_is_chosen_beside_it_have_dice_of_their_own() -> None:
    notes = [Dice(SEED, 1, lane).of(index) for lane in range(16) for index in range(64)]
    chosen = [
        np.random.default_rng((SEED, 1, *key))
        for key in (
            (seed_window._WEIGHING_KEY,),
            (recollection._KEY,),
            *((index, presses, together._WHO_IS_NEXT) for index in range(16) for presses in range(16)),
            *((beat, together._FORM) for beat in (400, 6000)),
        )
    ]
    dice = [*notes, *chosen]
    assert len({one.bytes(16) for one in dice}) == len(dice)

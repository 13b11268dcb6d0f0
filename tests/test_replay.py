"""Determinism: the journal of a sitting says all that improv's notes depend on."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playing import packaged_model

from improv_core.errors import StorageError
from improv_daemon.building import sitting_partner
from improv_daemon.conversation import Conversation
from improv_daemon.journal import Journal, JournalWriter, read_journal
from improv_daemon.partner.partner import MODES
from improv_daemon.replaying import commands_of, partner_of, replayed
from improv_daemon.settings import Answer, Memory, Settings
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.wire import CancelTurn, Change, Command, Cue, Event, FinishTurn, MovePedal, PlayNote, Woken

SEED = 20261120
CANDIDATES = 4
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

    def __init__(self, path: Path, settings: Settings, seed: int = SEED) -> None:
        self._path, self._settings, self._seed = path, settings, seed
        self._chance = random.Random(seed)
        self.commands: list[Command] = []

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
        )
        partner = sitting_partner(self._settings, packaged_model(), self._seed)
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
                conversation.wish(Change("mode", "listen"))
                await asyncio.sleep(10.0)
                assert stage.silent
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running
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


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


@pytest.mark.virtual_time
async def test_a_replayed_sitting_gives_the_same_commands_to_the_bit(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path / "sitting.jsonl", settings_of())
    journal = await sitting.play(calls=36)
    again = list(replayed(journal, partner_of(journal, packaged_model())))
    assert [command for _, command in again] == sitting.commands[:-1]  # the last is the stage's Quit
    assert again == list(commands_of(journal))
    for kind in (PlayNote, MovePedal, CancelTurn, FinishTurn):
        assert any(isinstance(command, kind) for _, command in again), f"no {kind.__name__} in the sitting"

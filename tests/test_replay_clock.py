"""Determinism with a MIDI clock: what the journal packs into runs is replayed to the bit."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playing import packaged_model

from improv_daemon.building import sitting_partner
from improv_daemon.conversation import Conversation
from improv_daemon.journal import JournalWriter, read_journal
from improv_daemon.replaying import commands_of, partner_of, replayed
from improv_daemon.settings import Answer, Settings, Voices
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.wire import Played, PlayNote, SetVoice

SEED = 7
PULSE_S = 1 / 64
"""At 160 beats a minute; a whole number of nanoseconds, as all times of the real clock are."""


async def play_with_clock(stage: VirtualStage, bars: int) -> None:
    """So many bars of four, a note on every other beat of every other bar."""
    stage.play(0xFA, source="daw")
    for pulse in range(bars * 96):
        stage.play(0xF8, source="daw")
        bar, place = divmod(pulse, 96)
        if bar % 2 == 0 and place % 48 == 0:
            stage.play(0x90, 60 + place // 48, 70)
        elif bar % 2 == 0 and place % 48 == 30:
            stage.play(0x80, 60 + place // 48, 0)
        await asyncio.sleep(PULSE_S)


@pytest.mark.virtual_time
async def test_a_sitting_by_the_clock_is_replayed_to_the_bit(tmp_path: Path) -> None:
    path = tmp_path / "sitting.jsonl"
    settings = replace(
        Settings(), mode="trade", answer=replace(Answer(), candidates=1), voices=Voices(improv_program=12)
    )
    partner = sitting_partner(settings, packaged_model(), SEED)
    with JournalWriter(
        path,
        model=packaged_model().name,
        seed=SEED,
        settings=asdict(settings),
        started_at=datetime(2026, 11, 20, tzinfo=UTC),
        now_s=asyncio.get_running_loop().time(),
        on_trouble=pytest.fail,
    ) as journal:
        async with VirtualStage() as stage:
            running = asyncio.create_task(Conversation(stage, partner, journal).run())
            await play_with_clock(stage, bars=12)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
    kept = read_journal(path)
    pulses = [
        entry for entry in kept.entries if isinstance(entry.message, Played) and entry.message.data == (0xF8,)
    ]
    again = list(replayed(kept, partner_of(kept, packaged_model())))
    assert len(pulses) == 12 * 96
    assert path.read_text().count('"data":[248]') < 12 * 96 / 4  # most are in runs
    assert again == list(commands_of(kept))
    assert again[0] == (0.0, SetVoice("improv", 12, 0.0, 0))  # it is told before anything is played
    assert sum(isinstance(command, PlayNote) for _, command in again) > 10

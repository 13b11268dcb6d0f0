"""The demo's hands: each call after the answer to the one before."""

from __future__ import annotations

import asyncio
import io
import itertools

import pytest
from playing import improviser_of, model_that_plays

from improv_daemon.building import partner_of
from improv_daemon.conversation import Conversation
from improv_daemon.demo import play_demo
from improv_daemon.partner import AnswerEnded, CallHeard, Drawn, Notice
from improv_daemon.phrases import demo_phrases
from improv_daemon.settings import Answer, Settings, Turn
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.view import View
from improv_daemon.wire import Command, PressKey

NOTES = [len(phrase.notes) for phrase in demo_phrases()]


class WatchedStage(VirtualStage):
    """A stage in memory that knows when its hands were told what to play."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[float, float]] = []

    def send(self, command: Command) -> None:
        if isinstance(command, PressKey) and command.data[0] & 0xF0 == 0x90:
            self.told.append((asyncio.get_running_loop().time(), command.at_s))
        super().send(command)

    @property
    def phrases(self) -> list[tuple[float, float]]:
        """When each phrase was told, and when its last key goes down."""
        return [
            (told_s, max(at_s for t, at_s in self.told if t == told_s))
            for told_s in sorted(set(dict(self.told)))
        ]


async def demo(settings: Settings) -> tuple[list[Notice], WatchedStage, str]:
    """The whole demo; what was said, what was sent, what was written."""
    notices: list[Notice] = []
    answered, out = asyncio.Event(), io.StringIO()

    def notify(notice: Notice) -> None:
        notices.append(notice)
        if isinstance(notice, AnswerEnded) and not notice.yielded:
            answered.set()

    improviser = improviser_of(model_that_plays(dt=60, duration=60))
    partner = partner_of(settings, improviser, notify)
    async with WatchedStage() as stage, asyncio.timeout(300):
        conversation = asyncio.create_task(Conversation(stage, partner).run())
        await play_demo(stage, answered, View(out))
        conversation.cancel()
        with pytest.raises(asyncio.CancelledError):
            await conversation
    return notices, stage, out.getvalue()


@pytest.mark.virtual_time
async def test_every_call_is_heard_whole_and_answered_before_the_next() -> None:
    notices, stage, text = await demo(Settings())
    turns = [type(notice) for notice in notices if not isinstance(notice, Drawn)]
    assert turns == [CallHeard, AnswerEnded] * 3
    assert [len(n.pitches) for n in notices if isinstance(n, CallHeard)] == NOTES
    assert not any(n.yielded for n in notices if isinstance(n, AnswerEnded))
    assert text == "A phrase is played for you; improv answers it.\n"
    assert stage.silent


@pytest.mark.virtual_time
async def test_an_impatient_improv_that_answers_within_the_phrase_does_not_end_it() -> None:
    turn = Turn(silence_min_s=0.05, silence_max_s=0.05, held_min_s=0.1, held_max_s=0.1, max_wait_s=0.1)
    answer = Answer(length_min_s=0.1, length_max_s=0.1)
    notices, stage, _ = await demo(Settings(turn=turn, answer=answer))
    assert sum(len(n.pitches) for n in notices if isinstance(n, CallHeard)) == sum(NOTES)
    assert {n.yielded for n in notices if isinstance(n, AnswerEnded)} == {True, False}
    assert len(stage.phrases) == 3
    for (_, last_s), (told_s, _) in itertools.pairwise(stage.phrases):
        assert told_s >= last_s
    assert stage.silent

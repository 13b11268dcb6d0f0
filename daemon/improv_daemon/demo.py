"""``improv demo``: hands that play three calls, each after the answer to the one before."""

from __future__ import annotations

import asyncio

from improv_daemon.display import Display
from improv_daemon.phrases import demo_phrases, key_messages
from improv_daemon.stage_link import Stage
from improv_daemon.wire import PressKey

FIRST_KEY_AFTER_S = 0.3
BETWEEN_CALLS_S = 1.2
AFTERWARDS_S = 0.5
DEMO_SOURCE_CHANNEL = 0


async def play_demo(stage: Stage, answered: asyncio.Event, display: Display) -> None:
    """Play every call and wait for its answer.

    Args:
        stage: Counts the calls as played.
        answered: Set whenever an answer has been played to its end.
        display: Says what is going on.
    """
    loop = asyncio.get_running_loop()
    display.line("A phrase is played for you; improv answers it.")
    for phrase in demo_phrases():
        start_s = loop.time() + FIRST_KEY_AFTER_S
        for at_s, data in key_messages(phrase, channel=DEMO_SOURCE_CHANNEL):
            stage.send(PressKey(data, start_s + at_s))
        # With impatient settings improv may answer in the middle of the phrase.
        await asyncio.sleep(start_s + phrase.notes[-1].onset_s - loop.time())
        answered.clear()
        await answered.wait()
        await asyncio.sleep(BETWEEN_CALLS_S)
    await asyncio.sleep(AFTERWARDS_S)

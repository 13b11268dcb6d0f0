"""A model's continuations of calls, by the code that plays live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from improv_core.continuation import as_performance, hear
from improv_core.improvising import NOTHING_ASKED, Ask, Improvising
from improv_core.representation import Notes, encode
from improv_training.evaluation.generated.calls import Call, as_played

Beginner = Callable[[Call], Improvising]
"""Makes the improviser for a call; it has heard nothing."""

MAX_GAP_S: Final = 1.5

_TURN: Final = 1


def continued(
    improviser: Improvising, call: Call, *, ask: Ask = NOTHING_ASKED, max_gap_s: float = MAX_GAP_S
) -> Notes:
    """As many notes as the piece goes on with, drawn as in a turn.

    The turn begins with the call's last onset, not after the silence that would end a call: the piece goes
    on without one. Keys that are down then come up when they do in the piece. The number of notes is that of
    the truth, so that every note counts alike; how much time they take is for the model to say.

    Args:
        improviser: Has heard nothing.
        call: What it hears.
        ask: What the continuation is to be like; a length would end it before the truth does.
        max_gap_s: Longest inter-onset interval, as of ``answer.max_gap_s``.

    Returns:
        The notes as they sound; one that is struck again at its own onset is lost.
    """
    hear(improviser, as_played(call.heard))
    last_s = int(call.heard.onset_ms[-1]) / 1000
    improviser.begin_turn(_TURN, last_s, ask)
    planned = []
    for _ in range(len(call.truth)):
        planned.append(improviser.draw(last_s, last_s + max_gap_s))
        last_s = planned[-1].onset_s
    return encode(as_performance(planned))


def continuations(
    begin: Beginner,
    calls: Iterable[Call],
    *,
    ask: Callable[[Call], Ask] = lambda _: NOTHING_ASKED,
    max_gap_s: float = MAX_GAP_S,
) -> Iterator[Notes]:
    """What `continued` gives for each call."""
    for call in calls:
        yield continued(begin(call), call, ask=ask(call), max_gap_s=max_gap_s)

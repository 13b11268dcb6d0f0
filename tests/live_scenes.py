"""Scenes that a player plays with improv in a room, each of which measures something of what it plays."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Mapping
from typing import Any

from live_measures import Measure, length_s, outside
from playing import Room, packaged_model
from scripted_improviser import ScriptedImproviser

from improv_core.improvising import Improvising
from improv_core.model import Model
from improv_core.motifs import Phrase, motif_overlap
from improv_core.representation import STYLES
from improv_daemon.building import improviser_of, partner_of
from improv_daemon.partner import Notice, Phase
from improv_daemon.settings import Settings, changed
from improv_daemon.settings.rules import Value
from improv_daemon.wire import PlayNote

Scene = Callable[[Room], float]

F_SHARP_MAJOR = tuple(66 + step for step in (0, 2, 4, 5, 7, 9, 11))
PHRASE = (60, 67, 63, 70, 72, 65, 68)
TOO_SHORT_TO_COME_BACK = (80, 81, 80, 79)
_PATIENCE_S = 120.0


def room_of(
    model: Model | Improvising,
    settings: Mapping[str, Value],
    notices: list[Notice],
    *,
    begin: Settings = Settings(),  # noqa: B008 - frozen
) -> Room:
    """A room in which settings, the packaged ones if none are given, are changed to these, in this order."""
    chosen = begin
    for key, value in settings.items():
        chosen = changed(chosen, key, value)
    improviser = improviser_of(chosen, model, seed=3) if isinstance(model, Model) else model
    partner = partner_of(chosen, improviser, notices.append, seed=3, styles=STYLES)
    return Room(partner, noticed=notices)


def played(room: Room, since_s: float, until_s: float = float("inf")) -> list[PlayNote]:
    """improv's notes that begin between two times and have been heard, by onset."""
    until_s = min(until_s, room.now_s)
    notes = [command for _, command in room.commands if isinstance(command, PlayNote)]
    return sorted(
        (note for note in notes if since_s <= note.onset_s < until_s), key=lambda note: note.onset_s
    )


# --- how to play with improv ------------------------------------------------------------------------


def melody(room: Room, *pitches: int, gap_s: float = 0.25, velocity: int = 64, hold: bool = False) -> None:
    """The player plays, up to the last onset; the last key stays down or comes up a moment later."""
    for pitch in pitches[:-1]:
        room.press(pitch, velocity=velocity)
        room.run_for(0.8 * gap_s)
        room.release(pitch)
        room.run_for(0.2 * gap_s)
    room.press(pitches[-1], velocity=velocity)
    if not hold:
        room.run_for(0.05)
        room.release(pitches[-1])


def until(room: Room, condition: Callable[[], bool]) -> None:
    """Let time pass until something is so."""
    limit_s = room.now_s + _PATIENCE_S
    while not condition():
        assert room.now_s < limit_s, "it does not come to that"
        room.run_for(0.02)


def until_improv_plays(room: Room) -> float:
    """Let time pass until improv strikes a key; when it does."""
    before = len(room.onsets)
    until(room, lambda: len(room.onsets) > before)
    return room.onsets[before][0]


def until_over(room: Room) -> None:
    """Let time pass until improv has nothing more to say."""
    ears = room.partner._all.ears
    until(room, lambda: room.partner.phase is Phase.LISTENING and ears.turns.call is None)
    until(room, lambda: room.performer.silent)


# --- scenes -----------------------------------------------------------------------------------------


def an_answer(
    measure: Measure, *pitches: int, gap_s: float = 0.25, velocity: int = 64, calls: int = 1
) -> Scene:
    """Calls are played and answered; the last answer is measured."""

    def scene(room: Room) -> float:
        for _ in range(calls):
            melody(room, *(pitches or (60, 64, 67, 72)), gap_s=gap_s, velocity=velocity)
            begun_s = room.now_s
            until_improv_plays(room)
            until_over(room)
        return measure(played(room, begun_s))

    return scene


def the_rest_of_an_answer(measure: Measure, seconds: float = 3.0) -> Scene:
    """What is measured is the next of an answer that has begun; what is on its way to sounding stands."""

    def scene(room: Room) -> float:
        if room.partner.phase is not Phase.ANSWERING:
            melody(room, 60, 64, 67, 72)
            until_improv_plays(room)
        room.run_for(0.6)
        begin_s = room.now_s
        room.run_for(seconds)
        assert room.partner.phase is Phase.ANSWERING
        return measure(played(room, begin_s))

    return scene


def pedal_moves(room: Room) -> float:
    """How often improv's pedal moves in the next of an answer that has begun."""
    moves = len(room.pedal)
    the_rest_of_an_answer(length_s)(room)
    return float(len(room.pedal) - moves)


def wait_s(*, gap_s: float = 0.25, hold: bool = False) -> Scene:
    """From the last onset of the player's to the first of improv's."""

    def scene(room: Room) -> float:
        melody(room, 60, 64, 67, 72, gap_s=gap_s, hold=hold)
        last_s = room.partner._all.ears.turns.call.last_onset_s
        first_s = until_improv_plays(room)
        room.release(72)
        until_over(room)
        return first_s - last_s

    return scene


def beside_the_beat_s(room: Room) -> float:
    """How far from the player's beats an answer begins, after playing in time."""
    melody(room, *(60, 64, 67, 72) * 4, gap_s=0.5)
    last_s = room.partner._all.ears.turns.call.last_onset_s
    first_s = until_improv_plays(room)
    until_over(room)
    return abs((first_s - last_s + 0.25) % 0.5 - 0.25)


def sent_ahead_s(room: Room) -> float:
    """How long before its onset the typical note of an answer goes to the stage."""
    begun = len(room.commands)
    an_answer(length_s)(room)
    commands = room.commands[begun:]
    return statistics.median(c.onset_s - at_s for at_s, c in commands if isinstance(c, PlayNote))


def notes_after_a_return(pitch: int = 60, velocity: int = 64) -> Scene:
    """How many notes improv still begins after a key of the player's in the middle of its answer."""

    def scene(room: Room) -> float:
        melody(room, 60, 64, 67, 72)
        until_improv_plays(room)
        room.run_for(1.0)
        room.press(pitch, velocity=velocity)
        returned_s = room.now_s
        room.run_for(1.5)
        room.release(pitch)
        count = len([at_s for at_s, _ in room.onsets if returned_s < at_s <= returned_s + 0.5])
        until_over(room)
        return count

    return scene


def players_turn_s(room: Room) -> float:
    """How long the player has the floor when they trade; then both rest."""
    policy: Any = room.partner._policy
    begin_s = room.now_s
    melody(room, 60, 64, 67, gap_s=0.2)
    first_s = until_improv_plays(room)
    until(room, lambda: policy._stretch is None and room.performer.silent)
    return first_s - begin_s


def together(measure: Callable[[Room, float], float], *pitches: int, seconds: float = 5.0) -> Scene:
    """The player plays on and on; measured is what improv plays from the second second on."""

    def scene(room: Room) -> float:
        begin_s = room.now_s + 1.0
        for i in range(round(seconds / 0.25)):
            room.call(pitches[i % len(pitches)], gap_s=0.25, duration_s=0.15)
        return measure(room, begin_s)

    return scene


def mean_pitch(room: Room, since_s: float) -> float:
    """Of improv's notes."""
    return statistics.mean(note.pitch for note in played(room, since_s))


def nearest_to(*pitches: int) -> Callable[[Room, float], float]:
    """How near improv comes to these keys."""
    return lambda room, since_s: min(
        abs(note.pitch - pitch) for note in played(room, since_s) for pitch in pitches
    )


def planned_ahead_s(room: Room, since_s: float) -> float:
    """How long before their onset notes go to the stage."""
    notes = [(at_s, c) for at_s, c in room.commands if isinstance(c, PlayNote)]
    return max(c.onset_s - at_s for at_s, c in notes if c.onset_s >= since_s)


def companions(measure: Callable[[int, list[int]], float]) -> Scene:
    """What is measured of the notes that sound with each note of a melody."""

    def scene(room: Room) -> float:
        values = []
        for pitch in (72, 74, 76, 77, 79):
            room.press(pitch)
            room.run_for(0.2)
            values.append(measure(pitch, sorted(room.performer._voices)))
            room.release(pitch)
            room.run_for(0.1)
        return statistics.mean(values)

    return scene


def outside_the_latest_key(room: Room) -> float:
    """The answer's share outside C major, after long playing in F sharp major and some in C."""
    for _ in range(6):
        melody(room, *F_SHARP_MAJOR, gap_s=0.2)
        room.run_for(0.15)
    for _ in range(2):
        melody(room, *(60, 64, 67, 65, 62, 71, 72, 69, 64, 60), gap_s=0.3)
        room.run_for(0.25)
    begun_s = room.now_s
    until_improv_plays(room)
    until_over(room)
    return outside(played(room, begun_s))


def likeness_to_an_old_phrase(room: Room) -> float:
    """How much of a phrase is in the answer to another, two minutes later."""
    melody(room, *PHRASE)
    room.run_for(120.0)
    melody(room, *TOO_SHORT_TO_COME_BACK)
    begun_s = room.now_s
    until_improv_plays(room)
    until_over(room)
    notes = played(room, begun_s)
    old = Phrase.of((0.25 * i, pitch, 64, 0.2) for i, pitch in enumerate(PHRASE))
    return motif_overlap(
        old, Phrase.of((n.onset_s, n.pitch, n.velocity, n.release_s - n.onset_s) for n in notes)
    )


def silence_until_improv_speaks_s(room: Room) -> float:
    """How long improv keeps quiet after an exchange, of a minute and a half."""
    an_answer(length_s)(room)
    begin_s, before = room.now_s, len(room.onsets)
    room.run_for(90.0)
    return room.onsets[before][0] - begin_s if len(room.onsets) > before else 90.0


def own_notes_read_again(room: Room) -> float:
    """How many of improv's notes are read when the memory is made anew, after three exchanges."""
    an_answer(length_s, calls=3)(room)
    improviser: Any = room.improviser
    counted = copy.copy(improviser._model)
    read: list[int] = []

    def advance(steps: Any, state: Any) -> Any:
        read.append(len(steps))
        return packaged_model().advance(steps, state)

    counted.advance = advance
    for _ in improviser._window.rebuild(counted):
        pass
    players = sum(one.turn is None for one in improviser._window)
    return sum(read) - players


class Counting(ScriptedImproviser):
    """Remembers how many answers were to be drawn beforehand."""

    counts: list[int]

    def __init__(self) -> None:
        super().__init__(0.3, endless=True)
        self.counts = []

    def rehearse(self, turn: int, ask: Any, *, count: int, first_s: Any, max_gap_s: float) -> Any:
        self.counts.append(count)
        return iter(())


def candidates(room: Room) -> float:
    """How many answers were to be drawn beforehand."""
    an_answer(length_s)(room)
    improviser: Any = room.improviser
    return float(improviser.counts[-1])


def notes_in_answer(room: Room) -> float:
    """How many notes follow a call within five seconds."""
    begun_s = room.now_s
    melody(room, 60, 64, 67, 72)
    room.run_for(5.0)
    return len(played(room, begun_s))

"""What a musician may change while playing, and for each how its effect is measured in the notes."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from playing import Room, model_that_plays, model_that_plays_what_is_asked, packaged_model
from scripted_improviser import ScriptedImproviser

from improv_core.improvising import Improvising
from improv_core.model import Model
from improv_core.motifs import Phrase, motif_overlap
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, STYLES
from improv_daemon.building import improviser_of, partner_of
from improv_daemon.partner import Notice, Phase
from improv_daemon.settings import Settings, changed
from improv_daemon.wire import PlayNote

Value = bool | int | float | str
Measure = Callable[[Sequence[PlayNote]], float]
Scene = Callable[[Room], float]
Shows = Callable[[float, float], bool]

C_MAJOR = frozenset({0, 2, 4, 5, 7, 9, 11})
F_SHARP_MAJOR = tuple(66 + step for step in (0, 2, 4, 5, 7, 9, 11))
PHRASE = (60, 67, 63, 70, 72, 65, 68)
TOO_SHORT_TO_COME_BACK = (80, 81, 80, 79)

SOON: Mapping[str, Value] = {
    "turn.by_model": False,
    "turn.silence_min_s": 0.5,
    "turn.silence_max_s": 10.0,
    "turn.silence_factor": 0.5,
    "turn.max_wait_s": 0.0,
    "answer.on_pulse": False,
    "answer.candidates": 1,
    "memory.recall": 0.0,
    "memory.follow": 0.0,
    "sampling.velocity_follow": 0.0,
}
"""An answer comes half a second after the last onset, and nothing bears on it but what is measured."""

LONG: Mapping[str, Value] = {"answer.length_min_s": 9.0}
SHORT: Mapping[str, Value] = {
    "answer.length_ratio": 0.1,
    "answer.length_min_s": 1.0,
}
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Control:
    """A setting that is changed while playing.

    Attributes:
        before: Its value to begin with.
        after: And from the middle on.
        scene: Plays with improv, and measures something in what it plays.
        shows: Whether what was measured before the change and after it differ as they should.
        model: Of improv.
        settings: Others, to begin with, over `SOON`.
    """

    before: Value
    after: Value
    scene: Scene
    shows: Shows
    model: Model | Improvising
    settings: Mapping[str, Value] = field(default_factory=dict)


def room_of(model: Model | Improvising, settings: Mapping[str, Value], notices: list[Notice]) -> Room:
    """A room in which the packaged settings are changed to these, in this order."""
    chosen = Settings()
    for key, value in settings.items():
        chosen = changed(chosen, key, value)
    improviser = improviser_of(chosen, model, seed=3) if isinstance(model, Model) else model
    return Room(partner_of(chosen, improviser, notices.append, seed=3, styles=STYLES))


def leaning(model: Model, nats: float, **values: int) -> Model:
    """The same with attributes of which one value is so much likelier than each other, which are alike."""
    leant = copy.copy(model)
    weights, biases = list(leant.heads.weights), list(leant.heads.biases)
    for name, value in values.items():
        i = ATTRIBUTE_NAMES.index(name)
        weights[i], biases[i] = np.zeros_like(weights[i]), np.zeros_like(biases[i])
        biases[i][int(ATTRIBUTES[i].binning.bins(np.int64(value)))] = nats
    leant.heads = replace(leant.heads, weights=tuple(weights), biases=tuple(biases))
    return leant


# --- how two measurements differ --------------------------------------------------------------------


def rises(by: float) -> Shows:
    """The second is larger by more than this."""
    return lambda before, after: after > before + by


def falls(by: float) -> Shows:
    """The second is smaller by more than this."""
    return lambda before, after: after < before - by


def differs(before: float, after: float) -> bool:
    """They are not the same."""
    return abs(after - before) > 0.5


# --- what can be measured of notes ------------------------------------------------------------------


def played(room: Room, since_s: float, until_s: float = float("inf")) -> list[PlayNote]:
    """improv's notes that begin between two times and have been heard, by onset."""
    until_s = min(until_s, room.now_s)
    notes = [command for _, command in room.commands if isinstance(command, PlayNote)]
    return sorted(
        (note for note in notes if since_s <= note.onset_s < until_s), key=lambda note: note.onset_s
    )


def of_pitch(measure: Callable[[Sequence[int]], float]) -> Measure:
    """A measure of the pitches."""
    return lambda notes: float(measure([note.pitch for note in notes]))


def share_of(pitch: int) -> Measure:
    """How many of the notes are this key."""
    return lambda notes: sum(note.pitch == pitch for note in notes) / len(notes)


def outside(notes: Sequence[PlayNote]) -> float:
    """How many of the notes are outside C major."""
    return sum(note.pitch % 12 not in C_MAJOR for note in notes) / len(notes)


def gaps_s(notes: Sequence[PlayNote]) -> list[float]:
    """From one onset to the next."""
    return [after.onset_s - before.onset_s for before, after in pairwise(notes)]


def spread(values: Sequence[float]) -> float:
    """How many of them are something else than the most frequent, to a tenth of a second or a velocity."""
    rounded = [round(value, 1) for value in values]
    return 1.0 - max(map(rounded.count, rounded)) / len(rounded)


def lasting_s(notes: Sequence[PlayNote]) -> list[float]:
    """From key down to key up."""
    return [note.release_s - note.onset_s for note in notes]


def loudness(notes: Sequence[PlayNote]) -> float:
    """Mean velocity."""
    return statistics.mean(note.velocity for note in notes)


def most_at_once(notes: Sequence[PlayNote]) -> float:
    """The most keys that are down at a time."""
    return max(sum(other.onset_s <= note.onset_s < other.release_s for other in notes) for note in notes)


def length_s(notes: Sequence[PlayNote]) -> float:
    """From the first onset to the last."""
    return notes[-1].onset_s - notes[0].onset_s


def density(notes: Sequence[PlayNote]) -> float:
    """Notes a second."""
    return (len(notes) - 1) / length_s(notes)


# --- scenes -----------------------------------------------------------------------------------------


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


def pressing(controller: int, scene: Scene) -> Scene:
    """A foot switch is pressed, and let go, before a scene."""

    def with_it(room: Room) -> float:
        room.play(0xB0, controller, 127)
        room.run_for(0.1)
        room.play(0xB0, controller, 0)
        return scene(room)

    return with_it


def wait_after_a_switch_s(controller: int) -> Scene:
    """From a foot switch, which is pressed after a phrase, to improv's first onset."""

    def scene(room: Room) -> float:
        melody(room, 60, 64, 67, 72)
        pressed_s = room.now_s
        room.play(0xB0, controller, 127)
        room.play(0xB0, controller, 0)
        first_s = until_improv_plays(room)
        until_over(room)
        return first_s - pressed_s

    return scene


def notes_in_answer(room: Room) -> float:
    """How many notes follow a call within five seconds."""
    begun_s = room.now_s
    melody(room, 60, 64, 67, 72)
    room.run_for(5.0)
    return len(played(room, begun_s))


# --- the table --------------------------------------------------------------------------------------

STEADY = model_that_plays(dt=200, duration=150, pedal=0, velocity=64)
QUICK = leaning(model_that_plays(dt=100, duration=80, pedal=0, velocity=64), 0.0, pitch=60)
FOND_OF_60 = leaning(model_that_plays(dt=100, duration=80, pedal=0), 4.0, pitch=60)
STUBBORN = leaning(model_that_plays(dt=100, duration=80, pedal=0), 5.0, pitch=60)
ANY_PITCH = leaning(STEADY, 0.0, pitch=60)
AT_ONCE = model_that_plays(dt=800, duration=150, pedal=0)
HELD = {"turn.held_min_s": 0.6, "turn.held_max_s": 10.0, "turn.held_factor": 0.5}
KEY_BY_EAR = {
    "sampling.scale": "auto",
    "sampling.scale_strict": True,
    "turn.silence_min_s": 1.0,
    "answer.length_max_s": 3.0,
}
SIX_NOTES = (60, 62, 64, 65, 67, 69)
HIGH, MIDDLE = (79, 81, 83), (60, 62, 64)

CONTROLS: dict[str, Control] = {
    "mode": Control("answer", "listen", notes_in_answer, falls(4), STEADY),
    # --- turn
    "turn.silence_min_s": Control(0.4, 1.5, wait_s(), rises(0.9), STEADY),
    "turn.silence_max_s": Control(
        9.0,
        1.2,
        wait_s(gap_s=1.0),
        falls(1.4),
        STEADY,
        {"turn.silence_min_s": 1.1, "turn.silence_factor": 3.0},
    ),
    "turn.silence_factor": Control(1.5, 4.0, wait_s(gap_s=0.4), rises(0.8), STEADY),
    "turn.held_min_s": Control(1.0, 2.5, wait_s(hold=True), rises(1.2), STEADY, HELD),
    "turn.held_max_s": Control(
        9.0,
        2.0,
        wait_s(gap_s=0.6, hold=True),
        falls(1.5),
        STEADY,
        {**HELD, "turn.silence_min_s": 0.7, "turn.held_min_s": 0.7, "turn.held_factor": 7.0},
    ),
    "turn.held_factor": Control(
        2.0, 6.0, wait_s(gap_s=0.5, hold=True), rises(1.5), STEADY, {**HELD, "turn.silence_min_s": 0.6}
    ),
    "turn.by_model": Control(
        False, True, wait_s(gap_s=0.4), falls(0.5), STEADY, {"turn.silence_factor": 3.0}
    ),
    "turn.max_wait_s": Control(
        0.0,
        0.5,
        wait_s(gap_s=0.6),
        rises(0.2),
        model_that_plays(dt=1200, duration=150, pedal=0),
        {"turn.silence_min_s": 0.7, "turn.silence_factor": 1.5},
    ),
    # --- answer
    "answer.length_ratio": Control(
        0.5, 3.0, an_answer(length_s, *SIX_NOTES), rises(2.0), STEADY, {"answer.length_min_s": 0.5}
    ),
    "answer.length_min_s": Control(0.5, 5.0, an_answer(length_s), rises(3.0), STEADY, SHORT),
    "answer.length_max_s": Control(
        8.0,
        1.0,
        an_answer(length_s),
        falls(3.0),
        STEADY,
        {"answer.length_ratio": 8.0, "answer.length_min_s": 0.5},
    ),
    "answer.lookahead_s": Control(
        0.1, 1.0, sent_ahead_s, rises(0.5), model_that_plays(dt=400, duration=150, pedal=0), LONG
    ),
    "answer.max_gap_s": Control(
        0.5,
        2.0,
        an_answer(lambda notes: max(gaps_s(notes))),
        rises(0.4),
        model_that_plays(dt=1000, duration=150, pedal=0),
        LONG,
    ),
    "answer.style": Control(
        "free",
        "pop",
        an_answer(of_pitch(statistics.mean)),
        differs,
        model_that_plays_what_is_asked("style", dt=200, duration=150, pedal=0),
    ),
    "answer.density_ratio": Control(
        0.25, 4.0, an_answer(density), rises(2.0), packaged_model(), {"answer.length_min_s": 8.0}
    ),
    "answer.on_pulse": Control(
        False,
        True,
        beside_the_beat_s,
        falls(0.1),
        AT_ONCE,
        {"turn.max_wait_s": 0.8, "turn.silence_min_s": 0.7},
    ),
    "answer.candidates": Control(1, 6, candidates, rises(4), Counting()),
    # --- yielding
    "yielding.how": Control("cut", "overlap", notes_after_a_return(), rises(1), STEADY, LONG),
    "yielding.min_velocity": Control(1, 60, notes_after_a_return(velocity=40), rises(1), STEADY, LONG),
    "yielding.lowest_key": Control(0, 50, notes_after_a_return(pitch=40), rises(1), STEADY, LONG),
    "yielding.highest_key": Control(127, 80, notes_after_a_return(pitch=90), rises(1), STEADY, LONG),
    # --- duet
    "duet.role": Control(
        "support", "lead", together(mean_pitch, *MIDDLE), rises(20), ANY_PITCH, {"mode": "duet"}
    ),
    "duet.plan_s": Control(
        0.03, 0.5, together(planned_ahead_s, *HIGH), rises(0.08), ANY_PITCH, {"mode": "duet"}
    ),
    "duet.distance": Control(
        0, 18, together(nearest_to(*HIGH), *HIGH), rises(6), ANY_PITCH, {"mode": "duet"}
    ),
    # --- harmonise
    "harmonise.voices": Control(
        1,
        3,
        companions(lambda _, voices: len(voices)),
        rises(1.5),
        packaged_model(),
        {"mode": "harmonise"},
    ),
    "harmonise.side": Control(
        "below",
        "above",
        companions(lambda pitch, voices: statistics.mean(voices) - pitch),
        rises(4),
        packaged_model(),
        {"mode": "harmonise"},
    ),
    # --- sampling
    "sampling.temperature": Control(
        0.05, 3.0, the_rest_of_an_answer(share_of(60)), falls(0.6), FOND_OF_60, LONG
    ),
    "sampling.temperature_pitch": Control(
        0.05, 3.0, the_rest_of_an_answer(share_of(60)), falls(0.6), FOND_OF_60, LONG
    ),
    "sampling.temperature_dt": Control(
        0.05,
        3.0,
        the_rest_of_an_answer(lambda notes: spread(gaps_s(notes))),
        rises(0.4),
        leaning(STEADY, 4.0, dt=200),
        LONG,
    ),
    "sampling.temperature_pedal": Control(
        0.05, 3.0, pedal_moves, rises(4), leaning(QUICK, 2.0, pedal=0), LONG
    ),
    "sampling.temperature_velocity": Control(
        0.05,
        3.0,
        the_rest_of_an_answer(lambda notes: spread([note.velocity // 4 for note in notes])),
        rises(0.4),
        leaning(QUICK, 4.0, velocity=64),
        LONG,
    ),
    "sampling.temperature_duration": Control(
        0.05,
        3.0,
        the_rest_of_an_answer(lambda notes: spread(lasting_s(notes))),
        rises(0.4),
        leaning(QUICK, 4.0, duration=200),
        LONG,
    ),
    "sampling.guidance": Control(
        0.0,
        2.5,
        the_rest_of_an_answer(of_pitch(statistics.mean)),
        differs,
        model_that_plays_what_is_asked("style", dt=200, duration=150, pedal=0),
        {**LONG, "answer.style": "pop"},
    ),
    "sampling.min_p": Control(0.0, 0.9, the_rest_of_an_answer(share_of(60)), rises(0.4), FOND_OF_60, LONG),
    "sampling.top_p": Control(1.0, 0.05, the_rest_of_an_answer(share_of(60)), rises(0.4), FOND_OF_60, LONG),
    "sampling.lowest_pitch": Control(21, 80, the_rest_of_an_answer(of_pitch(min)), rises(40), QUICK, LONG),
    "sampling.highest_pitch": Control(108, 50, the_rest_of_an_answer(of_pitch(max)), falls(40), QUICK, LONG),
    "sampling.scale": Control("off", "C major", the_rest_of_an_answer(outside), falls(0.15), QUICK, LONG),
    "sampling.scale_strict": Control(
        False,
        True,
        the_rest_of_an_answer(outside),
        falls(0.02),
        QUICK,
        {**LONG, "sampling.scale": "C major"},
    ),
    "sampling.velocity_follow": Control(
        0.0,
        1.0,
        an_answer(loudness, velocity=20),
        falls(50),
        model_that_plays(dt=200, duration=150, pedal=0, velocity=100),
    ),
    "sampling.polyphony": Control(
        0,
        2,
        the_rest_of_an_answer(most_at_once),
        falls(2),
        leaning(model_that_plays(dt=100, duration=900, pedal=0), 0.0, pitch=60),
        LONG,
    ),
    "sampling.loop_guard": Control(
        False, True, the_rest_of_an_answer(share_of(60)), falls(0.2), STUBBORN, LONG
    ),
    # --- memory
    "memory.window_notes": Control(
        512,
        16,
        outside_the_latest_key,
        falls(0.2),
        QUICK,
        KEY_BY_EAR,
    ),
    "memory.window_s": Control(
        600.0,
        5.0,
        outside_the_latest_key,
        falls(0.2),
        QUICK,
        KEY_BY_EAR,
    ),
    "memory.own_weight": Control(1.0, 0.0, own_notes_read_again, falls(10), STEADY),
    "memory.follow": Control(
        0.0,
        0.5,
        an_answer(share_of(60), 60, 60, 60, 60, calls=2),
        rises(0.2),
        QUICK,
        {"answer.length_min_s": 4.0, "memory.own_weight": 0.0},
    ),
    "memory.recall": Control(
        0.0, 1.0, likeness_to_an_old_phrase, rises(0.4), ANY_PITCH, {"answer.length_min_s": 3.0}
    ),
    "memory.initiative": Control(
        False, True, silence_until_improv_speaks_s, falls(60), STEADY, {"memory.initiative_after_s": 10.0}
    ),
    "memory.initiative_after_s": Control(
        60.0, 10.0, silence_until_improv_speaks_s, falls(40), STEADY, {"memory.initiative": True}
    ),
    # --- controls
    "controls.hand_over": Control(
        "", "cc 67", wait_after_a_switch_s(67), falls(0.5), STEADY, {"turn.silence_min_s": 1.0}
    ),
    "controls.next_mode": Control(
        "", "cc 66", pressing(66, notes_in_answer), rises(4), STEADY, {"mode": "listen"}
    ),
}
"""Every setting that may change while improv plays."""

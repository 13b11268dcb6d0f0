"""Each control is changed while improv plays, and its effect is measured in the notes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from live_controls import CONTROLS
from live_measures import length_s
from live_scenes import an_answer, melody, played, room_of, until_improv_plays, until_over
from live_setups import ANY_PITCH, SOON, STEADY, Control
from playing import Room, model_that_plays_what_is_asked
from window_models import RandomModel

from improv_core.representation import Events
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser
from improv_daemon.partner import ModeChanged, Notice, Said
from improv_daemon.settings import MODES, Settings
from improv_daemon.settings.rules import Value
from improv_daemon.settings.schema import REGISTRY
from improv_daemon.wire import Change, PlayNote


def now_set_to(key: str) -> Value:
    section, _, name = key.rpartition(".")
    value: Value = getattr(getattr(Settings(), section) if section else Settings(), name)
    return value


FIXED = [key for key, parameter in REGISTRY.items() if not parameter.live]


# --- what may change --------------------------------------------------------------------------------


def measured(key: str, control: Control, *, change: bool) -> tuple[float, float]:
    """What is measured in two scenes, with the change between them or without."""
    notices: list[Notice] = []
    room = room_of(control.model, {**SOON, **control.settings, key: control.before}, notices)
    before = control.scene(room)
    if change:
        room.wish(Change(key, control.after))
    after = control.scene(room)
    assert [notice for notice in notices if isinstance(notice, Said)] == []
    leaves_nothing_behind(room)
    return before, after


def leaves_nothing_behind(room: Room) -> None:
    room.wish(Change("mode", "listen"))
    room.run_for(60.0)
    assert room.performer.silent


@pytest.mark.parametrize("key", CONTROLS)
def test_without_the_change_nothing_of_the_kind_is_heard(key: str) -> None:
    control = CONTROLS[key]
    before, after = measured(key, control, change=False)
    assert not control.shows(before, after), f"{before:.3f} before, {after:.3f} after"


# --- what may not -----------------------------------------------------------------------------------

REFUSED = {
    "an unknown setting": (
        Change("sampling.temprature", 1.0),
        "While playing: there is no setting sampling.temprature (set to 1.0); did you mean "
        "'sampling.temperature'?",
    ),
    "an unknown mode": (
        Change("mode", "waltz"),
        "While playing: mode = waltz is not allowed: it must be "
        '"answer", "trade", "duet", "harmonise", "solo" or "listen".',
    ),
    "out of range": (
        Change("sampling.temperature", 30.0),
        "While playing: sampling.temperature = 30.0 is not allowed: it must be a number from 0.05 to 3.",
    ),
    "not a number": (
        Change("sampling.temperature", float("nan")),
        "While playing: sampling.temperature = nan is not allowed: it must be a number from 0.05 to 3.",
    ),
    "of another type": (
        Change("memory.initiative", 3),
        "While playing: memory.initiative = 3 is not allowed: it must be true or false.",
    ),
    "lowest above highest": (
        Change("sampling.lowest_pitch", 109),
        "While playing: sampling.lowest_pitch = 109 must not be above sampling.highest_pitch = 108.",
    ),
    "shortest above longest": (
        Change("turn.silence_max_s", 0.1),
        "While playing: turn.silence_min_s = 0.5 must not be above turn.silence_max_s = 0.1.",
    ),
    "a whole section": (
        Change("harmonise", 1),
        "While playing: harmonise is a table; set one of its settings, harmonise.voices, harmonise.side.",
    ),
} | {
    f"what cannot change: {key}": (
        Change(key, now_set_to(key)),
        f"{key} cannot change while improv plays: {REGISTRY[key].why_fixed}; set it and start improv again.",
    )
    for key in FIXED
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_said_in_one_sentence_and_changes_nothing(case: str) -> None:
    change, sentence = REFUSED[case]
    notices: list[Notice] = []
    rooms = [room_of(STEADY, SOON, notices), room_of(STEADY, SOON, [])]
    settings = rooms[0].partner.settings
    before, after = (an_answer(length_s)(room) for room in rooms)
    assert before == after
    rooms[0].wish(change)
    assert [notice.text for notice in notices if isinstance(notice, Said)] == [sentence]
    assert rooms[0].partner.settings == settings
    for room in rooms:
        an_answer(length_s)(room)
    assert rooms[0].sent == rooms[1].sent


def test_a_mode_that_the_model_cannot_play_is_refused_in_a_sentence() -> None:
    representation = Events()
    improviser = WindowImproviser(RandomModel(representation), representation, Sampling(), seed=1)
    notices: list[Notice] = []
    room = room_of(improviser, {}, notices)
    room.wish(Change("mode", "duet"))
    (said,) = [notice.text for notice in notices if isinstance(notice, Said)]
    assert said.startswith("Mode duet needs a model that hears you while it plays")
    assert said.count(".") == 1
    assert room.partner.mode == "answer"
    assert ModeChanged("duet") not in notices


def test_a_change_in_the_middle_of_an_answer_is_heard_before_it_ends() -> None:
    room = room_of(STEADY, {**SOON, "answer.length_min_s": 9.0}, [])
    melody(room, 60, 64, 67, 72)
    until_improv_plays(room)
    room.run_for(1.0)
    changed_s = room.now_s
    room.wish(Change("sampling.highest_pitch", 40))
    until_over(room)
    later = [note.pitch for note in played(room, changed_s + room.partner.settings.answer.lookahead_s + 0.2)]
    assert len(later) > 20
    assert max(later) <= 40
    assert len({command.turn for _, command in room.commands if isinstance(command, PlayNote)}) == 1


def test_a_change_just_before_the_answer_is_heard_in_all_of_it() -> None:
    room = room_of(ANY_PITCH, {**SOON, "answer.candidates": 4, "answer.length_min_s": 3.0}, [])
    melody(room, 60, 64, 67, 72)
    room.run_for(0.4)  # answers are thought of by now
    assert room.onsets == []
    room.wish(Change("sampling.lowest_pitch", 90))
    until_improv_plays(room)
    until_over(room)
    assert len(room.onsets) > 10
    assert min(pitch for _, pitch in room.onsets) >= 90


# --- from mode to mode ------------------------------------------------------------------------------


def onsets_while(room: Room, play: Callable[[], None]) -> int:
    before = len(room.onsets)
    play()
    return len(room.onsets) - before


def plays_as_in(mode: str, room: Room) -> bool:
    """Whether improv does with a phrase what a mode is about."""

    def phrase() -> None:
        for pitch in (72, 74, 76, 77) * 2:
            room.call(pitch)

    during = onsets_while(room, phrase)
    after = onsets_while(room, lambda: room.run_for(4.0))
    match mode:
        case "listen":
            return during == after == 0
        case "answer" | "trade":
            return during == 0 < after
        case "harmonise":
            return (during, after) == (8, 0)
    return during >= 3


IN_ROOM = {**SOON, "trade.seconds": 2.5, "answer.length_min_s": 3.0}


@pytest.mark.parametrize("begin", MODES)
@pytest.mark.parametrize("then", MODES)
def test_any_mode_may_follow_any_other_in_the_middle_of_playing(begin: str, then: str) -> None:
    notices: list[Notice] = []
    room = room_of(ANY_PITCH, {**IN_ROOM, "mode": begin}, notices)
    assert plays_as_in(begin, room)
    room.press(72)
    room.run_for(0.3)
    room.wish(Change("mode", then))
    room.release(72)
    if then != begin:
        assert notices[-1] == ModeChanged(then)
        if then not in ("solo", "duet", "answer"):
            left_s = room.now_s + 0.01
            room.run_for(3.0)
            assert [at_s for at_s, _ in room.onsets if at_s > left_s] == []
            assert room.performer.silent
        assert plays_as_in(then, room)
    leaves_nothing_behind(room)


# --- in the middle of a turn that goes on and on ------------------------------------------------------


def test_in_a_duet_a_style_is_heard_before_the_player_rests() -> None:
    model = model_that_plays_what_is_asked("style", dt=200, duration=150, pedal=0)
    room = room_of(model, {**SOON, "mode": "duet", "duet.distance": 0}, [])
    pitches = []
    for style in ("free", "pop", "jazz line"):
        room.wish(Change("answer.style", style))
        for _ in range(4):
            room.call(96)
        begin_s = room.now_s
        for _ in range(8):
            room.call(96)
        pitches.append({note.pitch for note in played(room, begin_s)})
    assert [len(one) for one in pitches] == [1, 1, 1]
    assert len(set.union(*pitches)) == 3
    assert len({command.turn for _, command in room.commands if isinstance(command, PlayNote)}) == 1


@pytest.mark.parametrize("mode", ["duet", "solo"])
def test_in_duet_and_solo_the_next_notes_are_drawn_otherwise(mode: str) -> None:
    room = room_of(ANY_PITCH, {**SOON, "mode": mode}, [])
    for _ in range(8):
        room.call(84)
    room.wish(Change("sampling.highest_pitch", 40))
    for _ in range(2):
        room.call(84)
    begin_s = room.now_s
    for _ in range(12):
        room.call(84)
    assert max(note.pitch for note in played(room, 0.0, begin_s - 0.5)) > 40
    assert max(note.pitch for note in played(room, begin_s)) <= 40

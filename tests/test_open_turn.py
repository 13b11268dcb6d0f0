"""A turn of improv's that the player may play into: its pedal, its bounds, and what is lost on the way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playing import improviser_of, model_that_plays
from scripted_improviser import ScriptedImproviser

from improv_core.closing import CLOSE_S, Closing
from improv_core.improvising import NOTHING_ASKED, Ask, PlannedNote
from improv_core.representation import ATTRIBUTE_NAMES
from improv_daemon.partner.open_turn import MOST_A_SECOND, OpenTurn
from improv_daemon.wire import Command, MovePedal, PlayNote, Released, Sounded


class Pedalling(ScriptedImproviser):
    """Moves its pedal as it is told, one value for each draw."""

    def __init__(self, gap_s: float, *pedal: int) -> None:
        super().__init__(gap_s, endless=True)
        self._pedal: Iterator[int] = itertools.chain(pedal, itertools.repeat(0))

    def draw(self, earliest_s: float, latest_s: float) -> PlannedNote:
        return replace(super().draw(earliest_s, latest_s), pedal=next(self._pedal))


def a_turn(ask: Ask = NOTHING_ASKED, **others: object) -> OpenTurn:
    given = {"lookahead_s": 0.25, "max_gap_s": 1.5} | others
    return OpenTurn(1, ask, (0.0, 0.0), **given)


def begun(improviser: ScriptedImproviser, turn: OpenTurn) -> list[Command]:
    improviser.begin_turn(1, 0.0)
    return gone_on(turn, improviser, 0.0)


def gone_on(turn: OpenTurn, improviser: ScriptedImproviser, now_s: float) -> list[Command]:
    """Everything that is due by now, first what is sent and then what is drawn next."""
    return [*turn.go_on(improviser, now_s), *turn.go_on(improviser, now_s)]


def played_on(turn: OpenTurn, improviser: ScriptedImproviser, until_s: float) -> list[Command]:
    """Everything that is sent until then, at its time."""
    commands, now_s = list[Command](), 0.0
    while turn.next_s <= until_s and not (turn.drawn and turn.next_s == turn.ends_s):
        now_s = max(now_s, turn.next_s)
        commands += turn.go_on(improviser, now_s)
    return commands


def onsets(commands: list[Command]) -> list[float]:
    return [c.onset_s for c in commands if isinstance(c, PlayNote)]


# --- the pedal ------------------------------------------------------------------------------------


def test_a_pedal_that_is_down_already_is_lifted_though_its_note_was_taken_back() -> None:
    improviser, turn = Pedalling(1.0, 0, 1, 0), a_turn()
    assert begun(improviser, turn)[-1] == MovePedal(1, 127, 0.06)
    turn.interrupt(improviser, 0.5)
    commands = gone_on(turn, improviser, 1.0)
    assert [(c.value, c.at_s) for c in commands if isinstance(c, MovePedal)] == [(0, 1.0)]


def test_a_pedal_that_was_only_planned_is_taken_back_with_its_note() -> None:
    improviser, turn = Pedalling(1.0, 1, 0, 0), a_turn(lookahead_s=0.05)
    assert MovePedal(1, 127, 0.0) in begun(improviser, turn)
    turn.interrupt(improviser, 0.5)
    assert turn.pedal == 1
    commands = gone_on(turn, improviser, 1.0)
    assert [(c.value, c.at_s) for c in commands if isinstance(c, MovePedal)] == [(0, 1.0)]


def pedal_goes_down_late() -> tuple[Pedalling, OpenTurn]:
    """At 0.06 s, for a note at 1 s that is taken back when the movement is on its way."""
    improviser, turn = Pedalling(1.0, 0, 1, 0), a_turn(closing=Closing(9.0, 1.5), lookahead_s=0.1)
    assert MovePedal(1, 127, 0.06) in begun(improviser, turn)
    turn.interrupt(improviser, 0.01)
    return improviser, turn


def test_a_pedal_that_is_on_its_way_comes_up_no_sooner_than_it_goes_down() -> None:
    improviser, turn = pedal_goes_down_late()
    improviser._script = iter([0.02])
    commands = gone_on(turn, improviser, 0.01)
    assert [(c.value, c.at_s) for c in commands if isinstance(c, MovePedal)] == [(0, 0.06)]


def test_a_pedal_that_is_on_its_way_comes_up_at_the_end_no_sooner_than_it_goes_down() -> None:
    improviser, turn = pedal_goes_down_late()
    turn.until_s = 0.05
    commands = gone_on(turn, improviser, 0.01)
    assert turn.drawn
    assert [(c.value, c.at_s) for c in commands if isinstance(c, MovePedal)] == [(0, 0.06)]


# --- bounds ---------------------------------------------------------------------------------------


def test_a_turn_may_be_told_between_which_times_its_next_note_is_to_come() -> None:
    improviser = ScriptedImproviser(0.1, endless=True)
    turn = a_turn(within=lambda now_s: (0.4, 0.6))
    commands = begun(improviser, turn)
    assert onsets(commands + played_on(turn, improviser, 0.3))[:2] == [0.4, 0.5]


def test_the_latest_time_is_never_before_the_earliest() -> None:
    improviser = ScriptedImproviser(3.0, endless=True)
    turn = a_turn(within=lambda now_s: (now_s + 0.4, 0.1))
    begun(improviser, turn)
    assert onsets(gone_on(turn, improviser, 0.2)) == [0.4]
    assert turn.latest is not None
    assert turn.latest.onset_s == pytest.approx(0.6)


def test_no_more_notes_come_than_anybody_plays() -> None:
    improviser, turn = ScriptedImproviser(0.002, endless=True), a_turn()
    onsets_s = onsets(begun(improviser, turn) + played_on(turn, improviser, 5.0))
    gaps_s = [later - sooner for sooner, later in zip(onsets_s, onsets_s[MOST_A_SECOND:], strict=False)]
    assert min(gaps_s) == pytest.approx(1.0)
    assert max(gaps_s) < 1.1


# --- its close ------------------------------------------------------------------------------------


def test_a_turn_that_goes_on_can_be_brought_to_its_close() -> None:
    improviser, turn = ScriptedImproviser(0.2, endless=True), a_turn()
    begun(improviser, turn)
    played_on(turn, improviser, 60.0)
    turn.close_in(2.0, improviser, 60.0)
    assert improviser.asks[-1].length_s == pytest.approx(62.0)
    commands = played_on(turn, improviser, 90.0)
    assert turn.drawn
    assert 62.0 <= onsets(commands)[-1] <= 62.0 + CLOSE_S + 0.3
    assert all(c.release_s > c.onset_s for c in commands if isinstance(c, PlayNote))


def test_a_close_can_be_called_off() -> None:
    improviser, turn = ScriptedImproviser(0.2, endless=True), a_turn()
    begun(improviser, turn)
    turn.close_in(2.0, improviser, 1.0)
    turn.keep_on(improviser)
    assert improviser.asks[-1].length_s is None
    assert onsets(played_on(turn, improviser, 30.0))[-1] > 30.0


class Holding(ScriptedImproviser):
    """Holds its notes as long as it is told, one length for each draw."""

    def __init__(self, gap_s: float, *lengths_s: float) -> None:
        super().__init__(gap_s)
        self._lengths_s = itertools.chain(lengths_s, itertools.repeat(0.1))

    def draw(self, earliest_s: float, latest_s: float) -> PlannedNote:
        note = super().draw(earliest_s, latest_s)
        return replace(note, release_s=note.onset_s + next(self._lengths_s))


def test_a_note_that_was_taken_back_does_not_hold_up_the_end() -> None:
    improviser, turn = Holding(1.0, 0.1, 2.0), a_turn(closing=Closing(1.0, 1.5))
    begun(improviser, turn)
    turn.interrupt(improviser, 0.5)
    played_on(turn, improviser, 9.0)
    assert turn.drawn
    assert turn.ends_s == max(note.release_s for note in turn.notes.values())


# --- what is lost on the way ------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [Sounded, Released], ids=["sounded", "released"])
def test_notes_of_which_nothing_more_is_told_do_not_hold_up_the_rest(lost: type) -> None:
    improviser = improviser_of(model_that_plays(dt=200, duration=100, pedal=0))
    improviser.begin_turn(1, 0.0)
    turn = a_turn(settle_notes=4)
    most, now_s = 0, 0.0
    for i in range(60):
        now_s = max(now_s, turn.next_s)
        for command in gone_on(turn, improviser, now_s):
            assert isinstance(command, PlayNote)
            if i != 3 or lost is not Sounded:
                turn.told(Sounded(1, command.index, command.pitch, 64, command.onset_s, 0.0), improviser)
            if i != 3:
                turn.told(Released(1, command.index, command.pitch, command.release_s), improviser)
        most = max(most, len(turn.notes))
    assert most < 16
    assert turn.on_their_way(now_s) == 1


def test_a_key_before_a_note_that_is_on_its_way_is_remembered_as_itself() -> None:
    improviser = improviser_of()
    improviser.press(60, 64, 0.0)
    improviser.begin_turn(1, 0.3)
    improviser.draw(1.0, 1.0)
    improviser.press(62, 90, 0.5)
    cache = improviser._cache
    pitch = ATTRIBUTE_NAMES.index("pitch")
    assert set(cache._classes[pitch, cache._places(cache.count - 1)]) == {62}
    assert list(cache._pitches)[-1] == 62

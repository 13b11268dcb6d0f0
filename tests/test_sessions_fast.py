from __future__ import annotations

from pathlib import Path

from kept_sessions import STARTED_AT, recorded_session, session_folder

from improv_core.notes import ControlChange, Note
from improv_daemon import wire
from improv_daemon.journal import Entry, Header, Journal, performances, read_journal
from improv_daemon.replaying import Given, commands_of
from improv_daemon.sessions.fast import played_again

PLAYERS = (
    Entry(wire.Played((0x90, 60, 80), 11.0, "keys"), 11.0),
    Entry(wire.Played((0x80, 60, 0), 12.0, "keys"), 12.0),
)
LATE = (
    Entry(wire.Sounded(1, 0, 64, 70, 13.3, 0.3), 13.3),
    Entry(wire.Released(1, 0, 64, 14.0), 14.0),
    Entry(wire.Trouble("A port is gone."), 20.0),
)
NOTE = wire.PlayNote(1, 0, 64, 70, 13.0, 14.0)


def improv_of(*again: Given) -> tuple[tuple[Note, ...], tuple[ControlChange, ...]]:
    """What improv plays in a session of ten seconds, from its beginning on."""
    header = Header(STARTED_AT, 10.0, "m", 1, {})
    journal = Journal(Path("journal.jsonl"), header, (*PLAYERS, *LATE), 0, torn=False)
    player, improv = performances(played_again(journal, again))
    assert player.notes == (Note(60, 80, 1.0, 1.0),)
    return improv.notes, improv.controls


def test_every_note_sounds_when_it_was_to() -> None:
    again = wire.PlayNote(1, 1, 67, 71, 14.0, 14.5)
    assert improv_of((12.5, NOTE), (12.5, again))[0] == (Note(64, 70, 3.0, 1.0), Note(67, 71, 4.0, 0.5))


def test_what_was_planned_for_later_than_it_was_decided_sounds_at_once() -> None:
    assert improv_of((13.5, NOTE))[0] == (Note(64, 70, 3.5, 0.5),)


def test_a_turn_that_is_cancelled_or_finished_ends_there() -> None:
    later = wire.PlayNote(1, 1, 67, 71, 15.0, 16.0)
    plan: list[Given] = [(12.5, NOTE), (12.5, later)]
    assert improv_of(*plan, (13.5, wire.CancelTurn(1)))[0] == (Note(64, 70, 3.0, 0.5),)
    assert improv_of(*plan, (13.5, wire.Panic()))[0] == (Note(64, 70, 3.0, 0.5),)
    assert improv_of(*plan, (13.5, wire.FinishTurn(1)))[0] == (Note(64, 70, 3.0, 1.0),)


def test_the_pedal_moves_when_it_was_to() -> None:
    down, up = wire.MovePedal(1, 127, 13.0), wire.MovePedal(1, 0, 14.0)
    _, pedal = improv_of((12.5, down), (12.5, up), (12.5, NOTE))
    assert pedal == (ControlChange(64, 127, 3.0), ControlChange(64, 0, 4.0))


def test_what_is_planned_for_after_the_end_does_not_sound() -> None:
    never = wire.PlayNote(2, 0, 67, 71, 20.5, 21.0)
    held = wire.PlayNote(2, 1, 69, 72, 19.0, 25.0)
    assert improv_of((12.5, never), (12.5, held))[0] == (Note(69, 72, 9.0, 1.0),)


def test_a_session_in_which_nothing_was_late_sounds_as_it_did(tmp_path: Path) -> None:
    journal = read_journal(recorded_session(session_folder(tmp_path), calls=1).journal)
    again = played_again(journal, commands_of(journal))
    assert len(performances(journal)[1].notes) > 3
    assert performances(again) == performances(journal)

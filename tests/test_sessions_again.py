from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest
from kept_sessions import recorded_session, session_folder, written_session

from improv_core.errors import ModelFileError, StorageError
from improv_daemon.journal import Journal, read_journal
from improv_daemon.models import model_path
from improv_daemon.replaying import Given, commands_of
from improv_daemon.sessions.again import compare, partner_again, told_again
from improv_daemon.wire import CancelTurn, MovePedal, Panic, PlayNote

HOW = "Another version of improv, other versions of its libraries or another kind of processor can do that."
NOTE = PlayNote(3, 0, 62, 55, 14.25, 15.0)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    return read_journal(recorded_session(session_folder(tmp_path_factory.mktemp("kept"))).journal)


@pytest.fixture(scope="module")
def again(journal: Journal) -> list[Given]:
    return list(told_again(journal, partner_again(journal)))


def test_told_the_same_again_improv_does_the_same_to_the_bit(journal: Journal, again: list[Given]) -> None:
    compared = compare(journal, again)
    notes = sum(isinstance(command, PlayNote) for _, command in again)
    assert notes > 5
    assert (compared.is_same, compared.same, compared.notes) == (True, len(again), notes)
    assert compared.in_words() == (
        f"Told the same again, improv does the same to the bit: {notes} notes, {len(again)} commands."
    )


def test_how_far_it_is_is_told(journal: Journal) -> None:
    told: list[float] = []
    list(told_again(journal, partner_again(journal), told.append))
    assert told == sorted(told)
    assert 0.5 < told[-1] <= 1.0


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (NOTE, "D4 from 4.250 to 5.000 s with velocity 55"),
        (MovePedal(3, 127, 13.5), "the pedal at 127 at 3.500 s"),
        (CancelTurn(3), "the command CancelTurn at 2.500 s"),
    ],
)
def test_the_first_that_is_other_than_then_is_told(tmp_path: Path, now: PlayNote, words: str) -> None:
    journal = read_journal(written_session(session_folder(tmp_path)).journal)
    (then,) = commands_of(journal)
    assert compare(journal, [then, (20.0, Panic())]).same == 1
    assert compare(journal, [(12.5, now), then]).in_words() == (
        "Told the same again, improv does something else from 0:02 on, after 0 notes as then: it was "
        f"E4 from 3.000 to 4.000 s with velocity 70 and is {words}. {HOW}"
    )


def test_what_differs_by_less_than_is_shown_differs(tmp_path: Path) -> None:
    journal = read_journal(written_session(session_folder(tmp_path)).journal)
    ((at_s, then),) = commands_of(journal)
    assert isinstance(then, PlayNote)
    words = compare(journal, [(at_s, dataclasses.replace(then, release_s=then.release_s + 1e-9))]).in_words()
    assert "with velocity 70 and is another one only in what these digits do not show. " in words


def test_less_and_more_than_then_is_other_than_then(tmp_path: Path) -> None:
    journal = read_journal(written_session(session_folder(tmp_path)).journal)
    (then,) = commands_of(journal)
    assert (
        "it was E4 from 3.000 to 4.000 s with velocity 70 and is nothing." in compare(journal, []).in_words()
    )
    more = compare(journal, [then, (75.0, NOTE)]).in_words()
    assert "from 1:05 on, after one note as then: it was nothing and is D4 from 4.250 to 5.000 s" in more


def test_where_a_journal_breaks_off_there_may_be_more(tmp_path: Path) -> None:
    journal = dataclasses.replace(
        read_journal(written_session(session_folder(tmp_path)).journal), closed=False
    )
    (then,) = commands_of(journal)
    assert compare(journal, [then, (14.0, NOTE)]).is_same
    assert not compare(journal, [then, (13.0, NOTE)]).is_same


def test_another_model_is_refused(journal: Journal, tmp_path: Path) -> None:
    def refusal_of(**header: object) -> str:
        other = dataclasses.replace(journal, header=dataclasses.replace(journal.header, **header))  # type: ignore[arg-type]
        with pytest.raises(StorageError) as refused:
            partner_again(other)
        return str(refused.value)

    assert refusal_of(model="other") == (
        f"The sitting in {journal.path} was played by the model 'other', and this one is 'default'; "
        "replay it with the one that played."
    )
    assert refusal_of(model_hash="ab" * 32) == (
        f"The sitting in {journal.path} was played by another model of the name 'default' than this one; "
        "replay it with the one that played."
    )
    with pytest.raises(ModelFileError, match="There is no model file"):
        partner_again(journal, str(tmp_path / "gone.onnx"))


def test_the_last_minutes_of_a_sitting_cannot_be_replayed(journal: Journal) -> None:
    header = dataclasses.replace(journal.header, from_the_middle=True)
    with pytest.raises(StorageError) as refused:
        partner_again(dataclasses.replace(journal, header=header))
    assert str(refused.value) == (
        f"{journal.path} holds the last minutes of a sitting, and what improv plays depends on all that came "
        "before, so it cannot be replayed; improv record keeps a sitting from its beginning."
    )


def test_a_sitting_of_before_sessions_were_folders_is_replayed(journal: Journal, again: list[Given]) -> None:
    settings = journal.header.settings | {"record": {"folder": "sessions", "mp3": True}}
    old = dataclasses.replace(journal, header=dataclasses.replace(journal.header, settings=settings))
    assert list(told_again(old, partner_again(old))) == again


def test_the_model_may_have_moved(journal: Journal, again: list[Given]) -> None:
    header = dataclasses.replace(
        journal.header,
        model_hash=hashlib.sha256(model_path("default").read_bytes()).hexdigest(),
        settings=journal.header.settings | {"model": "/gone/default.onnx"},
    )
    moved = dataclasses.replace(journal, header=header)
    partner = partner_again(moved, str(model_path("default")))
    assert list(told_again(moved, partner)) == again

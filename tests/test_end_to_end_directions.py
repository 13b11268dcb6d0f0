"""A sitting on real ports in which a style and a density are asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from midi_checks import balance, notes_of, pedals_down
from performance_fixture import human_performance
from sittings import Sitting, phrase_of, recorded_sitting, unanswered

from improv_core.closing import CLOSE_S, REACHED_S
from improv_daemon.settings import Answer

CALLS = 3
LATE_S = 0.3
"""A busy machine puts off what it plays; see test_partner for where answers end to the millisecond."""


@pytest.fixture(scope="module")
def sitting(jack_server: str, tmp_path_factory: pytest.TempPathFactory) -> Sitting:
    """Three phrases, each answered to the end."""
    human = human_performance()
    phrases = [
        phrase_of(human.performance, human.phrase_starts_s[n] - 0.1, human.phrase_ends_s[n] + 0.1)
        for n in range(CALLS)
    ]
    options = ("--seed", "7", "--style", "pop", "--density", "2", "-o", "record.audio=off")
    return recorded_sitting(tmp_path_factory.mktemp("sitting"), phrases, *options)


def lengths_s(sitting: Sitting, speaker: str) -> list[float]:
    """How long each turn was that came to its end, as the terminal shows it."""
    shown = re.findall(r"^ *(you|improv) .*\(\d+ notes?, (\d+\.\d) s\)$", sitting.text, re.MULTILINE)
    return [float(length) for who, length in shown if who == speaker]


def test_what_is_asked_is_said_at_the_start(sitting: Sitting) -> None:
    assert sitting.text.splitlines()[2] == "Model default, mode answer, style pop, density 2. Ctrl-C stops."
    assert "heed" not in sitting.text


def test_every_call_is_answered_and_every_answer_ends(sitting: Sitting) -> None:
    assert len(sitting.calls) == CALLS
    assert unanswered(sitting.calls, sitting.heard) == ()
    assert len(lengths_s(sitting, "improv")) == CALLS
    assert sitting.status == 0
    assert "Traceback" not in sitting.text


def test_no_note_sounds_on_and_the_pedal_is_up(sitting: Sitting) -> None:
    found = balance(sitting.heard)
    assert (found.hanging, found.orphans, found.struck_twice) == ((), (), ())
    assert pedals_down(sitting.heard) == ()


def test_no_answer_goes_on_past_its_end(sitting: Sitting) -> None:
    onsets_s = [note.onset_s for note in notes_of(sitting.heard)]
    returns_s = [*(call.first_onset_s for call in sitting.calls[1:]), float("inf")]
    for call, length_s, return_s in zip(sitting.calls, lengths_s(sitting, "you"), returns_s, strict=True):
        answer_s = [at_s for at_s in onsets_s if call.last_onset_s < at_s < return_s]
        longest_s = max(length_s, Answer().length_min_s) + CLOSE_S + REACHED_S + LATE_S
        assert 0.0 < answer_s[-1] - answer_s[0] <= longest_s


def test_the_sitting_is_kept(sitting: Sitting) -> None:
    assert f"Kept {Path('kept', sitting.midi.parent.name)}: session.mid." in sitting.text

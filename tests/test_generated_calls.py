"""Calls from held-out pieces, and continuing them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from playing import improviser_of, model_that_plays
from tiny_corpora import make_corpus, random_performance, scale

from improv_core.improvising import Ask
from improv_core.representation import encode, steps
from improv_training.corpora.corpus import Corpus
from improv_training.evaluation.generated.calls import as_played, choose_calls, evenly, section
from improv_training.evaluation.generated.playing import continuations, continued


def corpus(name: str, *sizes: int) -> Corpus:
    """Pieces for the test, and one for training."""
    pieces = {f"{i}.mid": random_performance(size, seed=i) for i, size in enumerate(sizes)}
    split = dict.fromkeys(pieces, "test")
    made: Corpus = make_corpus({**pieces, "t.mid": scale(300)}, split, name=name)
    return made


def test_shares_are_even_where_there_is_room_and_the_rest_goes_to_the_others() -> None:
    assert evenly([10, 10, 10], 9) == [3, 3, 3]
    assert evenly([1, 10, 10], 9) == [1, 4, 4]
    assert evenly([2, 2], 9) == [2, 2]
    assert evenly([5, 5], 3) == [2, 1]
    assert evenly([], 3) == []


def test_calls_come_evenly_from_corpora_and_from_pieces() -> None:
    corpora = [corpus("a", 200, 200), corpus("b", 200, 200, 200)]
    calls = choose_calls(corpora, "test", 8, call_notes=10, continuation_notes=30)
    assert [call.corpus for call in calls] == ["a"] * 4 + ["b"] * 4
    assert [call.file for call in calls][:4] == ["0.mid"] * 2 + ["1.mid"] * 2
    assert {call.file for call in calls[4:]} == {"0.mid", "1.mid", "2.mid"}


def test_calls_do_not_overlap_and_go_on_as_the_piece_does() -> None:
    held_out = corpus("a", 205, 90)
    calls = choose_calls([held_out], "test", 100, call_notes=10, continuation_notes=30)
    assert len(calls) == len(encode(random_performance(205, 0))) // 40 + 2
    pieces = dict(zip(held_out.files, map(held_out.piece, range(3)), strict=True))
    for call in calls:
        piece = pieces[call.file]
        np.testing.assert_array_equal(call.heard.pitch, piece.pitch[call.begin : call.begin + 10])
        np.testing.assert_array_equal(call.truth.pitch, piece.pitch[call.begin + 10 : call.begin + 40])
        np.testing.assert_array_equal(call.truth.dt_ms[1:], piece.dt_ms[call.begin + 11 : call.begin + 40])
        assert (call.heard.dt_ms[0], call.truth.dt_ms[0]) == (0, 0)
    for before, after in pairwise(calls):
        assert before.file != after.file or after.begin - before.begin >= 40


def test_the_same_seed_chooses_the_same_calls() -> None:
    def begins(seed: int) -> list[tuple[str, int]]:
        calls = choose_calls(
            [corpus("a", 230, 230)], "test", 4, call_notes=10, continuation_notes=30, seed=seed
        )
        return [(call.file, call.begin) for call in calls]

    assert begins(1) == begins(1)
    assert begins(1) != begins(2)


def test_pieces_that_are_too_short_and_of_other_splits_give_no_call() -> None:
    assert choose_calls([corpus("a", 20)], "test", 5, call_notes=10, continuation_notes=30) == []
    calls = choose_calls([corpus("a", 20)], "train", 5, call_notes=10, continuation_notes=30)
    assert {call.file for call in calls} == {"t.mid"}


def test_what_is_played_again_is_what_was_encoded() -> None:
    notes = encode(random_performance(80, 3))
    again = encode(as_played(notes))
    for name in ("dt_ms", "pedal", "pitch", "velocity", "duration_ms"):
        np.testing.assert_array_equal(getattr(again, name), getattr(notes, name))


def test_a_section_begins_at_zero_and_leaves_the_piece_as_it_is() -> None:
    notes = encode(scale(10))
    part = section(notes, 3, 6)
    assert part.dt_ms.tolist() == [0, 250, 250]
    assert part.pitch.tolist() == [65, 67, 69]
    assert notes.dt_ms[3] == 250


def test_a_continuation_has_as_many_notes_as_the_truth_and_begins_at_the_calls_last_onset() -> None:
    call = choose_calls([corpus("a", 100)], "test", 1, call_notes=10, continuation_notes=30)[0]
    improviser = improviser_of(model_that_plays(dt=200, duration=150, velocity=66), velocity_follow=0.0)
    notes = continued(improviser, call)
    assert len(notes) == 30
    assert set(notes.velocity.tolist()) <= {64, 65, 66, 67}
    assert np.abs(notes.dt_ms[1:] - 200).max() <= 5
    begun = improviser_of(model_that_plays(dt=200, duration=150))
    first = next(iter(continuations(lambda _: begun, [call])))
    assert first.dt_ms[0] == 0


def test_the_call_is_heard_as_a_players_with_its_last_notes_still_held() -> None:
    call = choose_calls([corpus("a", 100)], "test", 1, call_notes=10, continuation_notes=30)[0]
    improviser = improviser_of()
    continued(improviser, call)
    read = steps(call.heard, np.zeros(10, dtype=np.int64))
    heard = np.concatenate([step.columns for step in improviser.window])
    np.testing.assert_array_equal(heard, read.columns)


def test_no_gap_of_a_continuation_is_longer_than_was_asked() -> None:
    call = choose_calls([corpus("a", 100)], "test", 1, call_notes=10, continuation_notes=30)[0]
    notes = continued(improviser_of(model_that_plays(dt=9000)), call, max_gap_s=0.5)
    assert 300 < notes.dt_ms.max() <= 500


def test_what_is_asked_for_each_call_is_asked_of_its_improviser() -> None:
    call = choose_calls([corpus("a", 100)], "test", 1, call_notes=10, continuation_notes=30)[0]
    asked = continuations(lambda _: improviser_of(), [call], ask=lambda one: Ask(style=one.corpus))
    with pytest.raises(ValueError, match="'a'"):
        next(iter(asked))


@pytest.mark.parametrize("seed", [1, 2])
def test_each_call_is_continued_by_its_own_improviser(seed: int) -> None:
    calls = choose_calls([corpus("a", 200)], "test", 2, call_notes=10, continuation_notes=30, seed=seed)
    asked = []
    generated = list(continuations(lambda call: (asked.append(call), improviser_of())[1], calls))
    assert asked == calls
    assert len(generated) == len(calls)

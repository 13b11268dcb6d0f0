"""What a plan says of the music that is trained on."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_corpora import make_corpus, make_network, random_pieces, require_training_extra, write_checkpoint

from improv_training.corpora.corpus import Corpus
from improv_training.plan import Plan

with contextlib.suppress(ImportError):
    from improv_training.engine.checkpoints import load_checkpoint
    from improv_training.planning import Beginning, learned


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def corpus(style: str | None = None, *, beats_in: Sequence[int] = (), held_out: Sequence[int] = ()) -> Corpus:
    """Three pieces; in some the beat of the last note alone is known, some are for validation."""
    split = {f"{i:02}.mid": "validation" for i in held_out}
    made: Corpus = replace(make_corpus(random_pieces(3), split), style=style)
    for piece in beats_in:
        made.rows[made.offsets[piece + 1] - 1, 7] = 500
    return made


def said(corpora: Sequence[Corpus], plan: Plan | None = None) -> tuple[tuple[str, ...], bool]:
    plan, _ = learned(Beginning(plan or Plan()), plan or Plan(), corpora, lambda sentence: None)
    return plan.styles, plan.beats


def test_of_music_of_which_nothing_is_known_a_plan_says_nothing() -> None:
    assert said([corpus()]) == ((), False)


def test_styles_and_beats_are_those_of_the_train_splits() -> None:
    assert said([corpus("pop"), corpus("classical", beats_in=[2]), corpus()]) == (("classical", "pop"), True)
    assert said([corpus("pop", beats_in=[1], held_out=[1])]) == (("pop",), False)
    held_out = corpus("roll era", beats_in=[0, 1, 2], held_out=[0, 1, 2])
    assert said([corpus("pop"), held_out]) == (("pop",), False)


def test_a_model_that_is_trained_further_keeps_what_it_has_learned() -> None:
    before = Plan(styles=("jazz line",), beats=True)
    weights = make_network().state_dict()
    after, _ = learned(Beginning(before, weights=weights), before, [corpus("pop")], lambda sentence: None)
    assert (after.styles, after.beats) == (("pop", "jazz line"), True)


def test_a_run_from_before_plans_said_so_learns_it_when_it_is_gone_on_with(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(write_checkpoint(tmp_path / "a.ckpt", make_network()))
    beginning = Beginning(checkpoint.plan, checkpoint=checkpoint)
    after, _ = learned(beginning, checkpoint.plan, [corpus("pop", beats_in=[0])], lambda sentence: None)
    assert after == replace(checkpoint.plan, styles=("pop",), beats=True)

"""Whether a model knows who is to play."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny_corpora import make_network, require_training_extra, write_checkpoint

from improv_core.notes import Part
from improv_core.representation import ATTRIBUTE_NAMES, Notes, Setting

with contextlib.suppress(ImportError):
    from improv_training.evaluation.conditioning.roles import roles, upper_voice
    from improv_training.evaluation.scoring import open_scorer

PITCH = ATTRIBUTE_NAMES.index("pitch")


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def duet(*notes: tuple[int, int]) -> Notes:
    """A note each quarter of a second, of a pitch and a voice."""
    pitch, voice = np.array(notes, dtype=np.int64).T
    ones = np.ones(len(notes), dtype=np.int64)
    setting = Setting(voice=voice, beat_ticks=0 * ones, beat_ms=0 * ones)
    return Notes(250 * np.minimum(np.arange(len(notes)), 1), 0 * ones, pitch, 64 * ones, 100 * ones, setting)


PIECE = duet((50, 0), (70, 1), (52, 0), (74, 1), (48, 2))


def scorer(tmp_path: Any, network: Any) -> Any:
    return open_scorer(write_checkpoint(tmp_path / "a.ckpt", network))


def test_the_upper_voice_is_the_highest_on_average() -> None:
    upper = upper_voice(duet((80, 0), (60, 1), (20, 0), (58, 1)))
    assert upper is not None
    assert upper.tolist() == [False, True, False, True]


def test_one_voice_has_no_upper_one() -> None:
    assert upper_voice(duet((60, 0), (62, 0))) is None
    assert upper_voice(replace(PIECE, setting=None)) is None


def test_roles_are_measured_on_improvs_own_notes_against_the_rest(tmp_path: Any) -> None:
    network = make_network()
    knows_nothing = scorer(tmp_path, _silent(network))
    upper, lower = roles(knows_nothing, [duet((60, 0), (62, 0)), PIECE])
    assert (upper.name, upper.notes, upper.pitch_real, upper.pitch_real_other) == ("upper", 2, 72.0, 50.0)
    assert (lower.name, lower.notes, lower.pitch_real, lower.pitch_real_other) == ("lower", 3, 50.0, 72.0)
    for role in (upper, lower):
        of_chance = sum(math.log(size) for size in (96, 2, 128, 32, 128))
        assert (role.nats, role.nats_other) == pytest.approx((of_chance, of_chance), rel=1e-5)
        assert (role.pitch, role.pitch_other) == pytest.approx((63.5, 63.5), rel=1e-5)


def test_asking_for_the_other_changes_what_is_expected_and_not_what_is_real(tmp_path: Any) -> None:
    upper, lower = roles(scorer(tmp_path, _high_for_improv(make_network())), [PIECE])
    for role in (upper, lower):
        assert role.pitch == pytest.approx(100.0)
        assert role.pitch_other == pytest.approx(20.0)
        assert role.nats == role.nats_other  # equally wrong: none of the notes is at 20 or 100


def test_without_two_voices_there_are_no_roles(tmp_path: Any) -> None:
    assert roles(scorer(tmp_path, make_network()), [duet((60, 0), (62, 0))]) == []


def _silent(network: Any) -> Any:
    import torch

    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    return network


def _high_for_improv(network: Any) -> Any:
    """Expects pitch 100 of improv, 20 of the player, and nothing else of either."""
    import torch

    _silent(network)
    with torch.no_grad():
        for place, (part, pitch) in enumerate(((Part.IMPROV, 100), (Part.PLAYER, 20))):
            network.asked[0].weight[int(part), place] = 100.0
            network.heads[PITCH].weight[pitch, place] = 100.0
    return network

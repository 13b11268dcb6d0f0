"""Settings turned by the arrow keys."""

from __future__ import annotations

import pytest

from improv_daemon.notches import in_words, notches, share_of, turned
from improv_daemon.settings import Settings
from improv_daemon.settings.layers import changed, value_of
from improv_daemon.settings.rules import Value
from improv_daemon.settings.schema import REGISTRY


@pytest.mark.parametrize(
    ("key", "value", "steps", "after"),
    [
        ("sampling.temperature", 1.0, 1, 1.05),
        ("sampling.temperature", 1.0, -2, 0.9),
        ("sampling.temperature", 1.02, 1, 1.05),
        ("sampling.temperature", 1.02, -1, 1.0),
        ("sampling.temperature", 2.5, -1, 1.5),
        ("sampling.temperature", 2.5, 1, None),
        ("sampling.temperature", 1.0, 0, None),
        ("answer.density_ratio", 0.0, 1, 0.4375),
        ("answer.density_ratio", 0.4375, -1, 0.0),
        ("harmonise.voices", 1, 1, 2),
        ("harmonise.voices", 4, 1, None),
        ("harmonise.voices", 1, 9, 4),
        ("trade.bars", 4, 1, 5),
        ("mode", "answer", 1, "trade"),
        ("mode", "answer", -1, None),
        ("sampling.scale", "off", 2, "C major"),
        ("time.metronome", False, 1, True),
        ("time.metronome", True, -1, False),
        ("controls.mute", "cc 20", 1, None),
        ("ports.name", "improv", 1, None),
    ],
)
def test_a_step_is_to_the_next_notch(key: str, value: Value, steps: int, after: Value | None) -> None:
    assert turned(key, value, steps) == after


@pytest.mark.parametrize("key", REGISTRY)
def test_every_notch_is_allowed(key: str) -> None:
    found = notches(key)
    assert len(found) <= 60
    for value in found:
        assert REGISTRY[key].rule.check(value) == value


def test_every_live_setting_that_can_be_turned_can_be_turned_up_and_down_again() -> None:
    settings = Settings()
    for key, parameter in REGISTRY.items():
        if parameter.live and len(notches(key)) > 1 and key not in ("preset",):
            here = value_of(settings, key)
            up = turned(key, here, 1)
            there = up if up is not None else turned(key, here, -1)
            assert there is not None, key
            assert value_of(changed(settings, key, there), key) == there


@pytest.mark.parametrize(
    ("key", "value", "words", "share"),
    [
        ("sampling.temperature", 1.0, "1", 0.5),
        ("sampling.temperature", 3.0, "3", 1.0),
        ("answer.density_ratio", 0.0, "free", None),
        ("trade.bars", 4, "4 bars", 0.2),
        ("time.tempo_bpm", 120.0, "120", 0.42857),
        ("time.metronome", True, "on", None),
        ("sampling.scale", "D minor", "D minor", None),
        ("preset", "", "none", None),
    ],
)
def test_values_in_words_and_how_far_they_are_turned_up(
    key: str, value: Value, words: str, share: float | None
) -> None:
    assert in_words(key, value) == words
    assert share_of(key, value) == (None if share is None else pytest.approx(share, abs=1e-4))

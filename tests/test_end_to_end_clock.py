"""improv trades by the clock of a DAW on real ports, while the DAW stops, goes on, jumps and loops."""

from __future__ import annotations

import pytest
from midi_checks import balance
from simulated_daw import Daw, Trades, traded

JACK_LIMIT_S = 90
ON_THE_LINE_S = 0.03
"""Milliseconds are for the benches: this tells a bar line from the pulse before or after it, twice over."""


@pytest.fixture(scope="module")
def trades(jack_server: str, tmp_path_factory: pytest.TempPathFactory) -> Trades:
    """At 200 beats a minute, two to a bar of 0.6 s, with 2 ms of jitter."""
    daw = Daw(200.0, jitter_s=0.002, seed=3, beats_per_bar=2)
    daw.start()
    daw.play("play", 2)
    daw.stop()
    daw.wait(0.8)
    daw.go_on()
    daw.play("continue", 2)
    daw.put(1)
    daw.play("loop", 2)
    daw.put(9.5)
    daw.play("jump", 2)
    daw.stop()
    return traded(tmp_path_factory.mktemp("daw"), daw)


def test_improvs_bars_begin_on_the_lines_of_the_daw_whatever_it_does(trades: Trades) -> None:
    assert {what for what, _ in trades.begun} >= {"play", "continue", "loop", "jump"}
    assert max(abs(off_s) for _, off_s in trades.begun) < ON_THE_LINE_S


def test_after_a_stop_improv_plays_to_the_end_of_its_bars_at_most(trades: Trades) -> None:
    assert max(trades.sounding_s) < 2 * 60 / 200 + ON_THE_LINE_S


def test_no_key_stays_down(trades: Trades) -> None:
    assert not balance(trades.heard).hanging

"""Models of other presets at real ports: as large as they are meant to be, on time, and nothing left on."""

from __future__ import annotations

from pathlib import Path

import pytest
from improv_process import ImprovProcess
from jack_player import JackPlayer
from midi_checks import balance, pedals_down
from performance_fixture import human_performance
from sittings import JACK, converse, phrase_of, unanswered, yields_s
from tiny_corpora import require_training_extra
from untrained_models import write_untrained

from improv_core.notes import Performance

JACK_LIMIT_S = 90
BORROWED = {
    "symbols": "The model 'symbols' (preset symbols) knows nothing of timing, note lengths, loudness and "
    "pedal: improv takes them from what was played last.\n",
    "performance-rnn": "",
}


def human_phrase(number: int) -> Performance:
    human = human_performance()
    start_s, end_s = human.phrase_starts_s[number] - 0.1, human.phrase_ends_s[number] + 0.1
    return phrase_of(human.performance, start_s, end_s)


@pytest.mark.usefixtures("jack_server")
@pytest.mark.parametrize("preset", BORROWED)
def test_another_preset_answers_yields_at_once_and_leaves_nothing_on(preset: str, tmp_path: Path) -> None:
    require_training_extra()
    model = write_untrained(tmp_path, preset)
    options = ("--model", str(model), "--seed", "7")
    with ImprovProcess("play", *JACK, *options, folder=tmp_path) as improv, JackPlayer() as player:
        improv.wait_until_playing()
        player.connect()
        calls = converse(player, [human_phrase(0), human_phrase(1)], interrupt=frozenset({0}))
        status, _ = improv.stop()
        assert player.wait_for(lambda: not balance(player.heard).hanging, 1.0)
        sent, heard, stalls = tuple(player.sent), tuple(player.heard), tuple(player.stalls)
    assert status == 0
    assert f"Model {preset}, mode answer. Ctrl-C stops.\n{BORROWED[preset]}" in improv.text
    assert "Traceback" not in improv.text
    assert unanswered(calls, heard) == ()
    latencies_s = yields_s(sent, heard, stalls)
    assert latencies_s
    assert max(latencies_s) < 0.020
    found = balance(heard)
    assert (found.hanging, found.orphans, found.struck_twice) == ((), (), ())
    assert pedals_down(heard) == ()

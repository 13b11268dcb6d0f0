"""What is asked of improv's music, and what a model makes of it."""

from __future__ import annotations

import pytest
from playing import model_of, model_trained_on, packaged_model
from window_models import representations

from improv_core.improvising import Ask
from improv_core.representation import STYLES, Events, Piano
from improv_core.turns import Call
from improv_daemon.directions import (
    ask_of,
    heeded,
    in_words,
    preset_in_words,
    unheeded,
    unheeded_change,
)
from improv_daemon.settings import Answer, Harmonise, Sampling, Settings, Solo, Trade
from improv_daemon.wire import Change

FOUR_A_SECOND = Call(10.0, 11.0, 11.2, notes=5, onsets=5)
ONE_NOTE = Call(10.0, 10.0, 10.5, notes=1, onsets=1)


def test_by_default_nothing_is_asked_but_the_length() -> None:
    assert ask_of(Answer(), FOUR_A_SECOND, 3.0) == Ask(length_s=3.0)


def test_style_is_asked_as_it_is_and_density_in_notes_a_second() -> None:
    answer = Answer(style="jazz line", density_ratio=2.0)
    assert ask_of(answer, FOUR_A_SECOND) == Ask("jazz line", 8.0, None)


@pytest.mark.parametrize("call", [ONE_NOTE, None])
def test_a_call_too_short_to_have_a_density_leaves_it_free(call: Call | None) -> None:
    assert ask_of(Answer(style="pop", density_ratio=2.0), call, 1.5) == Ask("pop", None, 1.5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(), ()),
        (Settings(answer=Answer(style="pop")), ("style pop",)),
        (Settings(answer=Answer(style="roll era", density_ratio=0.5)), ("style roll era", "density 0.5")),
        (Settings(answer=Answer(density_ratio=2.0)), ("density 2",)),
        (Settings(sampling=Sampling(scale="D minor", temperature=1.2)), ("scale D minor", "temperature 1.2")),
        (Settings(mode="trade"), ("4 bars each",)),
        (Settings(mode="trade", trade=Trade(bars=1)), ("1 bar each",)),
        (Settings(mode="trade", trade=Trade(seconds=7.5)), ("7.5 s each",)),
        (Settings(mode="duet", answer=Answer(style="pop")), ("role support", "style pop")),
        (Settings(mode="harmonise"), ("1 voice below",)),
        (Settings(mode="harmonise", harmonise=Harmonise(2, "both")), ("2 voices below and above",)),
        (Settings(mode="solo"), ()),
        (Settings(mode="solo", solo=Solo("music/prelude.mid")), ("from prelude.mid",)),
        (Settings(mode="listen"), ()),
    ],
)
def test_what_is_set_in_words(settings: Settings, words: tuple[str, ...]) -> None:
    assert in_words(settings) == words


@pytest.mark.parametrize(
    ("key", "listed"), [("answer.style", "style"), ("answer.density_ratio", "density"), ("mode", None)]
)
def test_of_a_change_only_what_was_changed_is_said_to_be_in_vain(key: str, listed: str | None) -> None:
    model, answer = model_of(Events(), preset="performance-rnn"), Answer(style="pop", density_ratio=2.0)
    said = unheeded_change(model, Change(key, 2.0), answer)
    assert said == (
        listed
        and f"The model 'default' (preset performance-rnn) has not learned to heed {listed}: it plays as it "
        "would without."
    )


def test_of_a_preset_everything_that_is_asked_is_said_to_be_in_vain() -> None:
    model, answer = model_of(Events(), preset="performance-rnn"), Answer(style="pop", density_ratio=2.0)
    said = unheeded_change(model, Change("preset", "bold"), answer)
    assert said == unheeded(model, answer) is not None


def test_a_preset_is_said_with_what_is_set_beside_the_usual() -> None:
    settings = Settings(preset="calm", answer=Answer(density_ratio=0.5), sampling=Sampling(temperature=0.85))
    assert preset_in_words(settings) == "Preset calm: density 0.5, temperature 0.85."
    assert preset_in_words(Settings(preset="plain")) == "Preset plain."


def test_a_model_of_all_styles_and_of_beats_heeds_everything() -> None:
    assert isinstance(packaged_model().representation, Piano)
    for style in STYLES:
        answer = Answer(style=style, density_ratio=2.0)
        assert unheeded(model_trained_on(*STYLES, beats=True), answer, 120.0) is None
        assert heeded(model_trained_on(*STYLES), answer) == answer


@pytest.mark.parametrize(
    ("styles", "beats", "style", "tempo_bpm", "listed"),
    [
        ((), True, "pop", None, "style"),
        (("pop",), False, "roll era", None, "the style roll era"),
        (("pop",), False, "pop", 90.0, "tempo"),
        (("pop",), False, "roll era", 90.0, "the style roll era and tempo"),
        ((), False, "free", 90.0, "tempo"),
    ],
)
def test_what_a_model_of_the_piano_was_not_trained_on_it_does_not_heed(
    styles: tuple[str, ...], beats: bool, style: str, tempo_bpm: float | None, listed: str
) -> None:
    model, answer = model_trained_on(*styles, beats=beats), Answer(style=style, density_ratio=2.0)
    assert unheeded(model, answer, tempo_bpm) == (
        f"The model 'default' (preset piano) has not learned to heed {listed}: it plays as it would without."
    )


def test_of_a_model_that_was_trained_on_no_style_none_is_asked_and_all_else_is() -> None:
    asked = Answer(style="roll era", density_ratio=2.0)
    for model in (model_trained_on(), model_trained_on("pop")):
        assert heeded(model, asked) == Answer(density_ratio=2.0)
    assert heeded(model_trained_on("roll era"), asked) == asked
    assert heeded(model_trained_on(), Answer()) == Answer()


@pytest.mark.parametrize("kind", sorted(representations()))
def test_of_models_that_heed_nothing_nothing_is_said_where_nothing_is_asked(kind: str) -> None:
    model = model_of(representations()[kind], preset=kind)
    assert unheeded(model, Answer()) is None
    assert unheeded(model, Answer(style="pop")) is not None


@pytest.mark.parametrize(
    ("answer", "tempo_bpm", "listed"),
    [
        (Answer(style="pop"), None, "style"),
        (Answer(density_ratio=2.0), None, "density"),
        (Answer(), 90.0, "tempo"),
        (Answer(style="pop", density_ratio=2.0), None, "style and density"),
        (Answer(style="pop", density_ratio=2.0), 90.0, "style, density and tempo"),
    ],
)
def test_what_is_asked_in_vain_is_said_in_a_sentence(
    answer: Answer, tempo_bpm: float | None, listed: str
) -> None:
    assert unheeded(model_of(Events(), preset="performance-rnn"), answer, tempo_bpm) == (
        f"The model 'default' (preset performance-rnn) has not learned to heed {listed}: it plays as it "
        "would without."
    )

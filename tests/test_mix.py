from __future__ import annotations

from pathlib import Path

import pytest

from improv_core.errors import ConfigError
from improv_training.mix import NO_MIX, Ingredient, Mix, load_mix


def test_the_default_mix_says_what_each_corpus_is() -> None:
    assert load_mix("default") == Mix(
        {
            "pianolatron_exp": Ingredient("roll era"),
            "pop909_main": Ingredient("pop", beats="annotations"),
            "piano_midi_de": Ingredient("classical", beats="ticks"),
            "wjazzd": Ingredient("jazz line", beats="ticks", repeat=2),
            "mutopia_keyboard": Ingredient("classical", beats="ticks"),
            "maestro_v2": Ingredient("classical"),
        }
    )


def test_nothing_is_said_of_a_corpus_that_is_not_named() -> None:
    for mix in (load_mix("default"), NO_MIX):
        assert mix.of("mine") == Ingredient(style=None, beats="none", repeat=1)


def test_a_mix_of_ones_own_is_a_toml_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[mine]\nstyle = "pop"\n["other songs"]\nrepeat = 3\n')
    mix = load_mix(str(tmp_path / "mine.toml"))
    assert (mix.of("mine"), mix.of("other songs")) == (Ingredient("pop"), Ingredient(repeat=3))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[mine]\ntempo = 3\n",
            "mine.toml: [mine] has the unknown key 'tempo'; it may have style, beats or repeat.",
        ),
        (
            "[mine]\nstyle = 'salsa'\n",
            "mine.toml: [mine] style = 'salsa' is not known; it is classical, roll era, pop or jazz line.",
        ),
        ("[mine]\nstyle = ['pop']\n", "mine.toml: [mine] style = ['pop'] is not known; it is classical, "),
        (
            "[mine]\nbeats = 'tapped'\n",
            "mine.toml: [mine] beats = 'tapped' is not known; it is none, ticks or annotations.",
        ),
        (
            "[mine]\nrepeat = 0\n",
            "mine.toml: [mine] repeat = 0 is not known; it is a whole number, 1 at least.",
        ),
        ("[mine]\nrepeat = true\n", "mine.toml: [mine] repeat = True is not known; it is a whole number, "),
        ("mine = 3\n", "mine.toml: mine = 3 is no corpus; write [mine] and below it style, beats or repeat."),
        ("[mine\n", "mine.toml is not a TOML file: "),
    ],
)
def test_a_mix_that_cannot_be_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_mix("mine.toml")
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)


def test_a_mix_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load_mix("loud")
    assert str(error.value) == "There is no mix 'loud'; there is default, or name a .toml file."
    with pytest.raises(ConfigError, match=r"gone\.toml cannot be read \(No such file or directory\)\."):
        load_mix(str(tmp_path / "gone.toml"))

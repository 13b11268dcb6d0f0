"""Presets: settings under one name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from playing import Room, model_trained_on, packaged_model, partner_of

from improv_core.errors import ConfigError
from improv_daemon.building import sitting_partner
from improv_daemon.partner import ModeChanged, Notice, Said
from improv_daemon.replaying import _settings
from improv_daemon.settings import (
    BUILT_IN,
    Assignment,
    Controls,
    Preset,
    Settings,
    changed,
    load_settings,
    user_config_file,
)
from improv_daemon.settings.layers import value_of
from improv_daemon.settings.presets import after, by_program, find, listed, merged
from improv_daemon.settings.schema import REGISTRY
from improv_daemon.wire import Change, Cue

NAMES = ("calm", "bold", "mirror", "fours")
MINE = """
[improv.presets."late night"]
sampling.temperature = 0.8
mode = "duet"
[improv.presets."late night".duet]
role = "sparse"
"""
LATE_NIGHT = Preset("late night", (("sampling.temperature", 0.8), ("mode", "duet"), ("duet.role", "sparse")))


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this user's configuration nor the checkout's is read."""
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def loaded(text: str, *options: str) -> Settings:
    Path("mine.toml").write_text(f"[improv]\n{text}", encoding="utf-8")
    return load_settings(Path("mine.toml"), [Assignment.parse(option) for option in options])


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        loaded(text)
    return str(refused.value)


# --- those there are --------------------------------------------------------------------------------


def test_improv_has_four_of_its_own_of_settings_that_may_change_while_it_plays() -> None:
    assert tuple(one.name for one in BUILT_IN) == NAMES
    for preset in BUILT_IN:
        settings = changed(Settings(), "preset", preset.name)
        assert all(REGISTRY[key].live for key, _ in preset.changes)
        assert [value_of(settings, key) for key, _ in preset.changes] == [
            value for _, value in preset.changes
        ]
        assert settings != dataclasses.replace(Settings(), preset=preset.name)


def test_a_file_adds_its_own_after_them() -> None:
    assert loaded(MINE).presets == (*BUILT_IN, LATE_NIGHT)
    assert loaded(MINE) == dataclasses.replace(Settings(), presets=(*BUILT_IN, LATE_NIGHT))


def test_of_two_files_the_later_one_counts_for_a_name() -> None:
    path = user_config_file()
    path.parent.mkdir(parents=True)
    path.write_text("[improv.presets.calm]\nmemory.recall = 1\n", encoding="utf-8")
    first, *others = loaded("[improv.presets.Calm]\nmemory.recall = 0.5\n").presets
    assert first == Preset("Calm", (("memory.recall", 0.5),))
    assert tuple(others) == BUILT_IN[1:]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[improv.presets.x]\nsampling.temprature = 1.0\n",
            'mine.toml, preset "x": there is no setting sampling.temprature (set to 1.0); did you mean '
            "'sampling.temperature'?",
        ),
        (
            "[improv.presets.x]\nsampling.temperature = 9\n",
            'mine.toml, preset "x": sampling.temperature = 9 is not allowed: it must be a number from 0.05 '
            "to 3.",
        ),
        (
            "[improv.presets.x]\nports.channel = 3\n",
            'mine.toml, preset "x": ports.channel cannot be part of a preset, which may be chosen while '
            "improv plays.",
        ),
        (
            '[improv.presets.x]\npreset = "calm"\n',
            'mine.toml, preset "x": preset cannot be part of a preset, which may be chosen while improv '
            "plays.",
        ),
        ("presets = 3\n", "mine.toml: presets is a table, written as [improv.presets.NAME]."),
        ("presets.x = 3\n", 'mine.toml: a preset is a table, written as [improv.presets."x"].'),
        (
            '[improv.presets.""]\n',
            "mine.toml: a preset's name must be text of 1 to 40 characters, as in [improv.presets.\"late "
            'night"].',
        ),
    ],
)
def test_what_is_no_preset_is_one_sentence(text: str, message: str) -> None:
    assert refusal(text) == message


# --- choosing one -----------------------------------------------------------------------------------


def test_it_is_laid_over_the_files_but_under_what_the_command_line_says() -> None:
    settings = loaded('preset = "calm"\nsampling.temperature = 1.4\nmemory.recall = 0.7\n')
    assert (settings.preset, settings.sampling.temperature, settings.memory.recall) == ("calm", 0.85, 0.7)
    settings = loaded("preset = 'calm'\n", "sampling.temperature=1.3", "preset=BOLD")
    assert (settings.preset, settings.sampling.temperature, settings.answer.density_ratio) == (
        "bold",
        1.3,
        2.0,
    )


def test_a_preset_undoes_nothing_that_it_does_not_name() -> None:
    settings = changed(changed(Settings(), "memory.recall", 0.9), "preset", "mirror")
    settings = changed(settings, "preset", "fours")
    assert (settings.preset, settings.mode, settings.memory.follow) == ("fours", "trade", 0.4)
    assert changed(settings, "preset", "") == dataclasses.replace(settings, preset="")


def test_two_that_fit_only_together_may_change_together() -> None:
    settings = loaded(
        "[improv.presets.bass]\nsampling.highest_pitch = 50\nsampling.lowest_pitch = 30\n"
        "[improv.presets.flute]\nsampling.lowest_pitch = 70\nsampling.highest_pitch = 96\n"
    )
    for name in ("bass", "flute", "bass"):
        settings = changed(settings, "preset", name)
    assert (settings.sampling.lowest_pitch, settings.sampling.highest_pitch) == (30, 50)


def test_one_that_does_not_fit_what_is_set_is_refused_whole() -> None:
    settings = loaded("sampling.lowest_pitch = 60\n[improv.presets.bass]\nsampling.highest_pitch = 50\n")
    with pytest.raises(ConfigError) as refused:
        changed(settings, "preset", "bass")
    assert str(refused.value) == (
        'preset "bass": sampling.lowest_pitch = 60 must not be above sampling.highest_pitch = 50.'
    )


def test_the_next_one_comes_round_again() -> None:
    assert [after(BUILT_IN, name) for name in ("", *NAMES, "gone")] == [
        "calm",
        "bold",
        "mirror",
        "fours",
        "calm",
        "calm",
    ]


def test_programs_are_numbered_as_musicians_count() -> None:
    assert [by_program(BUILT_IN, number) for number in (1, 4)] == ["calm", "fours"]
    with pytest.raises(ConfigError) as refused:
        by_program(BUILT_IN, 5)
    assert str(refused.value) == (
        "There is no preset for program change 5; there are 1 calm, 2 bold, 3 mirror, 4 fours."
    )


def test_a_name_is_found_however_it_is_written() -> None:
    presets = merged(BUILT_IN, [LATE_NIGHT])
    assert find(presets, " Late-Night ") == find(presets, "late_night") == LATE_NIGHT
    assert find(presets, "late") is None
    assert listed(presets) == "calm, bold, mirror, fours and late night"


def test_the_presets_of_a_sitting_are_kept_in_its_journal() -> None:
    settings = loaded(MINE)
    assert _settings(dataclasses.asdict(settings)) == settings


# --- while playing ----------------------------------------------------------------------------------


def room(notices: list[Notice], **controls: object) -> Room:
    settings = dataclasses.replace(loaded(MINE), controls=Controls(**controls))  # type: ignore[arg-type]
    return Room(partner_of(packaged_model(), notices=notices, settings=settings))


def test_it_is_chosen_by_its_name_and_said() -> None:
    notices: list[Notice] = []
    studio = room(notices)
    studio.wish(Change("preset", "Late Night"))
    assert notices == [
        Said("Preset late night: role sparse, temperature 0.8."),
        ModeChanged("duet"),
    ]
    assert studio.partner.settings.preset == "late night"
    studio.wish(Change("preset", ""))
    assert len(notices) == 2


def test_the_next_is_chosen_by_a_cue() -> None:
    notices: list[Notice] = []
    studio = room(notices, next_preset="cc 66")
    chosen = []
    for _ in range(5):
        studio.wish(Cue("next_preset"))
        chosen.append(studio.partner.settings.preset)
    studio.play(0xB0, 66, 127)
    assert [*chosen, studio.partner.settings.preset] == [*NAMES, "late night", "calm"]


def test_what_of_it_means_nothing_to_the_model_is_said_however_it_is_chosen() -> None:
    notices: list[Notice] = []
    settings = loaded(
        "answer.style = 'roll era'\ncontrols.next_preset = 'cc 66'\n", "controls.presets_by_program=true"
    )
    studio = Room(sitting_partner(settings, model_trained_on("pop"), 1, notices.append))
    studio.wish(Change("preset", "calm"))
    studio.play(0xB0, 66, 127)
    studio.play(0xC0, 2)
    in_vain = Said(
        "The model 'default' (preset piano) has not learned to heed the style roll era: it plays as it would "
        "without."
    )
    assert [notice == in_vain for notice in notices] == [False, True] * 3


def test_a_program_change_chooses_one_where_that_is_wanted() -> None:
    notices: list[Notice] = []
    studio = room(notices, presets_by_program=True)
    studio.play(0xC3, 1)
    assert studio.partner.settings.preset == "bold"
    studio.play(0xC3, 7)
    assert notices[1:] == [
        Said(
            "There is no preset for program change 8; there are 1 calm, 2 bold, 3 mirror, 4 fours, "
            "5 late night."
        )
    ]
    elsewhere = room(notices)
    elsewhere.play(0xC3, 1)
    assert elsewhere.partner.settings.preset == ""

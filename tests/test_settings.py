from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from improv_core.errors import ConfigError
from improv_daemon.settings import MODES, Assignment, Settings, changed, load_settings, user_config_file
from improv_daemon.settings.control_rules import Gesture, Knobs
from improv_daemon.settings.rules import (
    Choice,
    FilePath,
    Number,
    PortName,
    Rule,
    ScaleName,
    Switch,
    Text,
    Whole,
)
from improv_daemon.settings.schema import REGISTRY, RULES, SCHEMA, SECTIONS
from improv_daemon.settings.writing import config_text


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this user's configuration nor the checkout's is read."""
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def assigned(*texts: str) -> Settings:
    return load_settings(None, [Assignment.parse(text) for text in texts])


def refusal(text: str, path: Path = Path("mine.toml")) -> str:
    write(path, text)
    with pytest.raises(ConfigError) as refused:
        load_settings(path)
    return str(refused.value)


# --- layers ---------------------------------------------------------------------------------------


def test_settings_without_any_file_are_the_defaults_of_the_dataclasses() -> None:
    assert load_settings() == Settings()


def test_packaged_defaults_name_every_setting_and_nothing_else() -> None:
    import improv_daemon

    path = Path(improv_daemon.__file__).parent / "defaults.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))["improv"]
    assert table.pop("schema") == SCHEMA
    named = {
        f"{name}.{key}" if isinstance(value, dict) else name
        for name, value in table.items()
        for key in (value if isinstance(value, dict) else [name])
    }
    assert named == set(RULES)
    defaults = dataclasses.asdict(Settings())
    defaults.pop("presets")
    assert table == defaults


def test_the_files_of_every_default_are_what_is_written_from_the_registry() -> None:
    import improv_daemon

    packaged = Path(improv_daemon.__file__).parent / "defaults.toml"
    checkout = Path(__file__).parents[1] / "config.toml"
    assert packaged.read_text(encoding="utf-8") == checkout.read_text(encoding="utf-8") == config_text()


def test_settings_come_from_the_user_then_the_folder_then_the_named_file_then_the_command_line() -> None:
    write(
        user_config_file(),
        "[improv]\nseed = 1\nmodel = 'a'\n[improv.turn]\nsilence_min_s = 0.1\nheld_min_s = 2\n",
    )
    write(Path("config.toml"), "[improv]\nseed = 2\nmodel = 'b'\n[improv.turn]\nsilence_min_s = 0.2\n")
    named = write(Path("mine.toml"), "[improv]\nseed = 3\nmodel = 'c'\n")
    settings = load_settings(named, [Assignment.parse("seed=4")])
    assert settings.seed == 4
    assert settings.model == "c"
    assert settings.turn.silence_min_s == 0.2
    assert settings.turn.held_min_s == 2.0
    assert settings.turn.held_max_s == 4.0


def test_of_two_assignments_the_later_wins() -> None:
    assert assigned("seed=1", "seed=2").seed == 2


@pytest.mark.parametrize("text", ["[other]\nseed = 1\n", "", "not TOML at all"])
def test_a_config_toml_in_the_folder_that_is_not_improvs_is_left_alone(text: str) -> None:
    write(Path("config.toml"), text)
    assert load_settings() == Settings()


def test_a_broken_config_toml_in_the_folder_that_is_improvs_is_refused() -> None:
    write(Path("config.toml"), "[improv]\nseed = \n")
    with pytest.raises(ConfigError, match=r"^config\.toml is not valid TOML: .*line 2"):
        load_settings()


def test_an_empty_user_config_changes_nothing() -> None:
    write(user_config_file(), "")
    assert load_settings() == Settings()


def test_a_file_needs_only_what_it_changes() -> None:
    path = write(Path("mine.toml"), "[improv.sampling]\nmin_p = 0\n")
    assert load_settings(path) == dataclasses.replace(
        Settings(), sampling=dataclasses.replace(Settings().sampling, min_p=0.0)
    )


def test_a_file_with_a_byte_order_mark_is_read() -> None:
    path = write(Path("mine.toml"), "\ufeff[improv]\nseed = 7\n")
    assert load_settings(path).seed == 7


# --- refusals -------------------------------------------------------------------------------------


def test_a_missing_config_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^There is no configuration file nowhere\.toml\.$"):
        load_settings(Path("nowhere.toml"))


def test_a_folder_is_no_config_file() -> None:
    with pytest.raises(ConfigError, match=r"^\. cannot be read: "):
        load_settings(Path())


def test_broken_toml_names_the_line() -> None:
    assert re.search(r"^mine\.toml is not valid TOML: .*line 3", refusal("[improv]\nseed = 1\nmodel = =\n"))


def test_a_file_that_is_not_text_is_refused() -> None:
    Path("mine.toml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_settings(Path("mine.toml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[improv.sampling]\ntemprature_pitch = 1.1\n",
            "mine.toml: there is no setting sampling.temprature_pitch (set to 1.1); "
            "did you mean 'sampling.temperature_pitch'?",
        ),
        (
            "[improv]\ngain = 1.1\n",
            "mine.toml: there is no setting gain (set to 1.1); did you mean 'sound.gain'?",
        ),
        (
            "[improv]\ntempo = 120\n",
            "mine.toml: there is no setting tempo (set to 120); did you mean 'time.tempo_bpm'?",
        ),
        (
            "[improv.samplng]\nmin_p = 0\n",
            "mine.toml: there is no setting samplng (set to {'min_p': 0}); did you mean 'sampling'?",
        ),
        (
            "[improv.memory]\nzzz = true\n",
            "mine.toml: there is no setting memory.zzz (set to true); there are memory.window_notes, "
            "memory.window_s, memory.own_weight, memory.follow, memory.recall, memory.initiative, "
            "memory.initiative_after_s.",
        ),
        (
            "[improv]\nmode = 'echo'\n",
            'mine.toml: mode = "echo" is not allowed: it must be "answer", "trade", "duet", "harmonise", '
            '"solo" or "listen".',
        ),
        (
            "[improv.ports]\nchannel = 17\n",
            "mine.toml: ports.channel = 17 is not allowed: it must be a whole number from 1 to 16.",
        ),
        (
            "[improv.sampling]\nmin_p = nan\n",
            "mine.toml: sampling.min_p = nan is not allowed: it must be a number from 0 to 0.9.",
        ),
        (
            f"[improv.sampling]\nmin_p = 1{'0' * 400}\n",
            f"mine.toml: sampling.min_p = 1{'0' * 400} is not allowed: it must be a number from 0 to 0.9.",
        ),
        (
            '[improv.answer]\nstyle = "Polka"\n',
            'mine.toml: answer.style = "Polka" is not allowed: it must be "free", "classical", "roll era", '
            '"pop" or "jazz line".',
        ),
        (
            '[improv.sampling]\nscale = "H major"\n',
            'mine.toml: sampling.scale = "H major" is not allowed: it must be "off", "auto", or a scale such '
            'as "D minor" (it may be major, minor, harmonic minor, dorian, mixolydian, pentatonic, blues).',
        ),
        (
            "[improv.answer]\ndensity_ratio = 0.1\n",
            "mine.toml: answer.density_ratio = 0.1 is not allowed: it must be a number from 0.25 to 4, "
            "or 0 to leave it to improv.",
        ),
        (
            "[improv.ports]\nvirtual = 1\n",
            "mine.toml: ports.virtual = 1 is not allowed: it must be true or false.",
        ),
        ("[improv]\nports = 3\n", "mine.toml: ports is a table, written as [improv.ports]."),
        ("improv = 3\n", "mine.toml: improv must be a table, written as [improv]."),
        (
            "[improv]\n[imporv.ports]\n",
            "mine.toml: unknown table [imporv]; improv's settings belong under [improv].",
        ),
        ("[other]\n", "mine.toml: improv's settings belong under [improv], and the file has no such table."),
        (
            "[improv]\nschema = 2\n",
            "mine.toml: schema = 2 was written for a newer improv; "
            "update improv, or use a file with schema = 1.",
        ),
        ("[improv]\nschema = 'x'\n", 'mine.toml: schema = "x" is not allowed: it must be 1.'),
        (
            "[improv.turn]\nsilence_min_s = 2\n",
            "mine.toml: turn.silence_min_s = 2.0 must not be above turn.silence_max_s = 1.8.",
        ),
    ],
)
def test_a_refusal_names_the_file_the_setting_the_value_and_the_way_out(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "samplng.min_p=3",
            "-o: there is no setting samplng.min_p (set to 3); did you mean 'sampling.min_p'?",
        ),
        ("ports=3", "-o: ports is a table; set one of its settings, ports.api, "),
        ("qqqq=1", "-o: there is no setting qqqq (set to 1); there are mode, model, seed, preset, ports.*, "),
        ("seed=", '-o: seed = "" is not allowed: it must be a whole number from 0 to 4294967295.'),
        ("seed", "-o seed: write it as section.key=value, as in sampling.min_p=0.05."),
    ],
)
def test_a_refused_assignment_names_its_option(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        assigned(text)
    assert str(refused.value).startswith(message)


def test_two_sources_that_contradict_each_other_are_both_named() -> None:
    write(Path("mine.toml"), "[improv.sampling]\nlowest_pitch = 70\n")
    with pytest.raises(ConfigError) as refused:
        load_settings(Path("mine.toml"), [Assignment.parse("sampling.highest_pitch=60")])
    assert str(refused.value) == (
        "mine.toml and -o: sampling.lowest_pitch = 70 must not be above sampling.highest_pitch = 60."
    )


# --- the command line's values --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("mode", '"answer"', "answer"),
        ("seed", "12", 12),
        ("ports.input", "Keystation 49=x", "Keystation 49=x"),
        ("ports.input", "''", ""),
        ("ports.input", "2", "2"),
        ("ports.virtual", "False", False),
        ("sampling.min_p", ".5", 0.5),
        ("turn.held_factor", "5", 5.0),
        ("record.bitrate_kbps", "320", 320),
        ("answer.style", "jazz line", "jazz line"),
        ("answer.style", "free", "free"),
        ("answer.style", "Jazz-Line", "jazz line"),
        ("answer.style", '"roll_era"', "roll era"),
        ("ports.api", "ALSA", "alsa"),
        ("answer.density_ratio", "0", 0.0),
        ("answer.density_ratio", "0.25", 0.25),
        ("answer.density_ratio", "4", 4.0),
        ("sampling.scale", "off", "off"),
        ("sampling.scale", '"Auto"', "auto"),
        ("sampling.scale", "d minor", "D minor"),
        ("sampling.scale", "Db major", "C# major"),
        ("sampling.scale", "A#-Harmonic_Minor", "Bb harmonic minor"),
    ],
)
def test_an_assignment_takes_the_type_of_its_setting(key: str, text: str, value: object) -> None:
    settings: object = assigned(f"{key}={text}")
    for name in key.split("."):
        settings = getattr(settings, name)
    assert settings == value
    assert type(settings) is type(value)


# --- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (Switch(), 0),
        (Switch(), "true"),
        (Whole(0, 9), True),
        (Whole(0, 9), 3.0),
        (Whole(0, 9), 10),
        (Whole(0, 9), -1),
        (Number(0, 1), True),
        (Number(0, 1), "0.5"),
        (Number(0, 1), float("inf")),
        (Number(0, 1), 1.0001),
        (Choice((1, 2)), "1"),
        (Choice((1, 2)), True),
        (Number(1, 2, optional=True), 0.5),
        (Number(1, 2, optional=True), False),
        (Number(1, 2, optional=True), 2.5),
        (Choice(("a",)), "b"),
        (Choice(("a b",)), "ab"),
        (Choice(("1",)), 1),
        (Text(), 3),
        (Text(), "a\0b"),
        (FilePath(), ""),
        (FilePath(), "a\nb"),
        (PortName(), ""),
        (PortName(), "  "),
        (PortName(), "a:b"),
        (PortName(), "x" * 33),
        (ScaleName(), "H major"),
        (ScaleName(), "D"),
        (ScaleName(), ""),
        (ScaleName(), 2),
    ],
)
def test_a_rule_refuses(
    rule: Switch | Whole | Number | Choice | Text | FilePath | PortName | ScaleName, value: object
) -> None:
    with pytest.raises(ValueError, match=re.escape(rule.allowed)):
        rule.check(value)


@pytest.mark.parametrize("written", ["jazz line", "Jazz Line", "JAZZ-LINE", "jazz_line"])
def test_a_choice_may_be_written_in_any_case_and_with_a_hyphen_for_a_space(written: str) -> None:
    rule = Choice(("pop", "jazz line"))
    assert rule.check(written) == rule.parse(written) == "jazz line"


def test_a_path_may_start_at_the_home_folder(tmp_path: Path) -> None:
    assert FilePath().check("~/piano.sf2") == str(tmp_path / "home" / "piano.sf2")


def test_an_optional_number_may_be_zero() -> None:
    rule = Number(0.25, 4.0, optional=True)
    assert rule.check(0) == 0.0
    assert rule.allowed == "a number from 0.25 to 4, or 0 to leave it to improv"


def test_an_optional_path_may_be_empty() -> None:
    assert FilePath(optional=True).check("") == ""


def test_every_default_is_allowed_by_its_rule() -> None:
    defaults = dataclasses.asdict(Settings())
    for key, rule in RULES.items():
        section, _, name = key.rpartition(".")
        value = defaults[section][name] if section else defaults[name]
        assert rule.check(value) == value


def test_every_section_of_settings_has_rules() -> None:
    assert [*dict.fromkeys(key.split(".")[0] for key in RULES if "." in key)] == list(SECTIONS)


# --- while improv plays -----------------------------------------------------------------------------


def refused_change(key: str, value: object) -> str:
    with pytest.raises(ConfigError) as refused:
        changed(Settings(), key, value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "stored"),
    [
        ("mode", "duet", "duet"),
        ("sampling.temperature", 2, 2.0),
        ("sampling.temperature", "1.5", 1.5),
        ("sampling.scale", "d minor", "D minor"),
        ("memory.initiative", True, True),
        ("controls.hand_over", "CC 67", "cc 67"),
        ("controls.tap", "", ""),
    ],
)
def test_one_setting_becomes_another_and_all_else_stays(key: str, value: object, stored: object) -> None:
    before, after = dataclasses.asdict(Settings()), dataclasses.asdict(changed(Settings(), key, value))
    section, _, name = key.rpartition(".")
    (before[section] if section else before)[name] = stored
    assert after == before


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("model", "other.onnx", "the model is loaded at the start"),
        ("seed", 3, "the dice are chosen at the start"),
        ("controls.osc_port", 9000, "ports are opened at the start"),
        ("ports.channel", 3, "ports are opened at the start"),
        ("sound.gain", 1.0, "the synthesiser is made at the start"),
        ("record.audio", "off", "it counts when the sitting is over"),
        ("solo.prime", "prelude.mid", "the file is heard at the start"),
    ],
)
def test_what_was_opened_at_the_start_cannot_change(key: str, value: object, why: str) -> None:
    assert (
        refused_change(key, value)
        == f"{key} cannot change while improv plays: {why}; set it and start improv again."
    )


def test_of_every_setting_it_is_known_why_it_cannot_change_if_so() -> None:
    reasons = [parameter.why_fixed for parameter in REGISTRY.values() if not parameter.live]
    assert len(reasons) > 20
    assert all(reasons)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("swing", 3, "While playing: there is no setting swing (set to 3); there are mode, model, seed, "),
        ("turn", 3, "While playing: turn is a table; set one of its settings, turn.silence_min_s, "),
        (
            "sampling.top_p",
            7.0,
            "While playing: sampling.top_p = 7.0 is not allowed: it must be a number from ",
        ),
        ("mode", "echo", 'While playing: mode = echo is not allowed: it must be "answer", "trade", '),
        (
            "turn.silence_min_s",
            9,
            "While playing: turn.silence_min_s = 9.0 must not be above turn.silence_max_s",
        ),
        (
            "controls.tap",
            "note 128",
            'While playing: controls.tap = note 128 is not allowed: it must be "cc N", ',
        ),
    ],
)
def test_a_change_that_cannot_be_is_refused_as_at_the_start(key: str, value: object, message: str) -> None:
    assert refused_change(key, value).startswith(message)


@pytest.mark.parametrize("written", ["cc 67", "note 0", "notes 21+108", "notes 1+2+3", ""])
def test_a_gesture_is_a_controller_a_key_or_keys(written: str) -> None:
    assert Gesture().check(written) == written


@pytest.mark.parametrize(
    "written", ["cc", "cc 120", "note 128", "note 1+2", "notes 21", "notes 21+", "pedal", "67", 67]
)
def test_nothing_else_is_a_gesture(written: object) -> None:
    with pytest.raises(ValueError, match='"cc N", "note N"'):
        Gesture().check(written)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("", ""),
        ("CC 1  sampling.temperature", "cc 1 sampling.temperature"),
        ("cc 1 mode,cc 2 ch 3 memory.follow 0..0.4", "cc 1 mode,cc 2 ch 3 memory.follow 0..0.4"),
        (["cc 1 mode", "cc 2 voices.improv_pan -1..0.5"], "cc 1 mode, cc 2 voices.improv_pan -1..0.5"),
    ],
)
def test_knobs_are_controllers_and_what_they_set(written: object, stored: str) -> None:
    assert Knobs().check(written) == stored


@pytest.mark.parametrize("written", ["cc 1", "note 1 mode", "cc 1 mode;", "cc 1 mode 1-2", ",", 67, [67]])
def test_nothing_else_are_knobs(written: object) -> None:
    with pytest.raises(ValueError, match="controllers and what they set"):
        Knobs().check(written)


# --- how a controller turns each ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "span", "at"),
    [
        (Switch(), None, [False, False, True, True]),
        (Whole(1, 16), None, [1, 5, 12, 16]),
        (Whole(0, 127), (21, 108), [21, 43, 86, 108]),
        (Number(0.05, 3.0), (0.5, 1.5), [0.5, 0.75, 1.25, 1.5]),
        (Number(0.25, 4.0, optional=True), None, [0.0, 1.188, 3.062, 4.0]),
        (Number(0.0, 1.0), (1.0, 0.5), [1.0, 0.875, 0.625, 0.5]),
        (Choice(("a", "b", "c")), None, ["a", "a", "c", "c"]),
        (ScaleName(), None, ["off", "E major", "F minor", "B minor"]),
        (Text(), None, [None] * 4),
        (FilePath(), None, [None] * 4),
        (PortName(), None, [None] * 4),
        (Gesture(), None, [None] * 4),
        (Knobs(), None, [None] * 4),
    ],
)
def test_a_controller_covers_what_is_allowed_or_a_part_of_it(
    rule: Rule, span: tuple[float, float] | None, at: list[object]
) -> None:
    assert [rule.at(share, span) for share in (0.0, 0.25, 0.75, 1.0)] == at


def test_wherever_a_controller_stands_its_value_is_allowed() -> None:
    for parameter in REGISTRY.values():
        for position in range(128):
            value = parameter.at(position / 127)
            assert value is None or parameter.rule.check(value) == value


# --- the README -------------------------------------------------------------------------------------

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_assignment_in_the_readme_is_allowed() -> None:
    named = re.findall(r'-o (?:"([^"]+=[^"]*)"|([a-z_]+\.[a-z_]+=\S+))', README)
    assignments = [quoted or plain.strip("`.") for quoted, plain in named]
    assert len(assignments) >= 8
    assert isinstance(assigned(*assignments), Settings)


def test_every_setting_and_mode_that_the_readme_names_is_there() -> None:
    names = re.findall(r"`([a-z_]+)\.([a-z_*]+)`", README)
    settings = [f"{section}.{name}" for section, name in names if section in SECTIONS]
    assert len(settings) >= 12
    assert all(name in RULES or name.endswith(".*") for name in settings)
    assert re.findall(r"^\| `([a-z]+)` \|", README, re.MULTILINE) == [*MODES]

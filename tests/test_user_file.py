"""Settings written into the user's own configuration, and what is said of a controller that was learned."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from improv_core.errors import ConfigError
from improv_daemon.learned import keep_learned
from improv_daemon.partner import Learned
from improv_daemon.settings import load_settings, user_config_file
from improv_daemon.settings.user_file import keep_in_user_file, overruled

KNOBS = (("controls.knobs", "cc 5 ch 3 mode"),)
LEARNED = Learned("mode", "controller 5 on channel 3", KNOBS)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this user's configuration nor the checkout's is read or written."""
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def write(text: str) -> Path:
    path = user_config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def kept(text: str) -> str:
    path = write(text)
    assert keep_in_user_file(KNOBS) == path
    assert load_settings().controls.knobs == "cc 5 ch 3 mode"
    return path.read_bytes().decode()


def test_comments_order_and_form_stay_as_they_are() -> None:
    text = (
        "# mine\n[improv]\nseed = 7   # lucky\n\n[improv.controls]  # feet\n"
        "knobs = 'cc 1 mode'  # left hand\ntap = \"cc 67\"\n\n[improv.turn]\nsilence_min_s=0.5 # quick\n"
    )
    assert kept(text) == text.replace("'cc 1 mode'", '"cc 5 ch 3 mode"')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing yet\n",
        "[improv]\n",
        "[improv]\nseed = 7",
        "[improv.turn]\nsilence_min_s = 0.5\n",
        "improv.controls.tap = 'cc 67'\n",
        "[improv]\ncontrols = { tap = 'cc 67' }\n",
        "[improv]\ncontrols.tap = 'cc 67'\n\n[improv.presets.calm]\nmemory.recall = 0.3\n",
        "[improv]\r\nseed = 7\r\n",
    ],
)
def test_whatever_the_form_of_the_file_it_says_so_afterwards_and_all_else_too(text: str) -> None:
    write(text)
    before = load_settings()
    after = kept(text)
    assert text.strip() in after or "controls" in text
    assert load_settings().turn == before.turn
    assert (load_settings().seed, load_settings().controls.tap) == (before.seed, before.controls.tap)
    assert load_settings().presets == before.presets


def test_without_a_file_there_is_one_afterwards() -> None:
    path = keep_in_user_file((*KNOBS, ("controls.tap", "cc 67"), ("seed", 3)))
    assert path == user_config_file()
    settings = load_settings()
    assert (settings.controls.knobs, settings.controls.tap, settings.seed) == ("cc 5 ch 3 mode", "cc 67", 3)
    assert [one.name for one in path.parent.iterdir()] == ["config.toml"]


def test_a_link_stays_a_link_and_the_file_keeps_its_rights(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("[improv]\n", encoding="utf-8")
    real.chmod(0o600)
    link = user_config_file()
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    keep_in_user_file(KNOBS)
    assert link.is_symlink()
    assert "cc 5" in real.read_text(encoding="utf-8")
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["[improv", "improv = 3\n", "[improv]\ncontrols = 3\n", "a = 1\na = 2\n"])
def test_what_is_no_configuration_is_left_as_it_is(text: str) -> None:
    path = write(text)
    with pytest.raises(ConfigError, match="is not valid TOML"):
        keep_in_user_file(KNOBS)
    assert path.read_text(encoding="utf-8") == text
    assert [one.name for one in path.parent.iterdir()] == ["config.toml"]


# --- what is said -----------------------------------------------------------------------------------


def test_what_was_learned_is_said_with_where_it_is_kept() -> None:
    assert keep_learned(LEARNED) == (
        f"Controller 5 on channel 3 is for mode from now on, and is kept in {user_config_file()}."
    )


def test_what_cannot_be_kept_works_all_the_same_and_says_so() -> None:
    path = user_config_file()
    path.parent.parent.mkdir(parents=True)
    path.parent.write_text("a file where the folder should be")
    said = keep_learned(LEARNED)
    assert said.startswith("Controller 5 on channel 3 is for mode from now on, but only this time: ")
    assert said.endswith(").")


def test_a_file_in_the_folder_that_counts_for_more_is_named() -> None:
    Path("config.toml").write_text("[improv]\ncontrols.knobs = ''\n", encoding="utf-8")
    assert overruled("controls.tap") is None
    assert keep_learned(LEARNED) == (
        f"Controller 5 on channel 3 is for mode from now on; it is kept in {user_config_file()}, but "
        "config.toml in this folder says otherwise and counts for more."
    )


@pytest.mark.parametrize("text", ["not TOML", "improv = 3\n", "[improv]\ncontrols = 3\n", "[other]\n"])
def test_another_file_in_the_folder_says_nothing_of_it(text: str) -> None:
    Path("config.toml").write_text(text, encoding="utf-8")
    assert overruled("controls.knobs") is None


def test_nothing_is_left_beside_the_file_when_it_cannot_take_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write("[improv]\n")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ConfigError, match=r"cannot be written \(no space left on device\)"):
        keep_in_user_file(KNOBS)
    assert [one.name for one in path.parent.iterdir()] == ["config.toml"]
    assert path.read_text(encoding="utf-8") == "[improv]\n"

"""Where what is played goes, by mode, routes and what belongs together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from improv_core.thru import Mode, ThruMatrix, ThruSettings, Way, matching

OWN, PIANO, ROLAND = "improv out", "keystation", "roland"
SYNTH = Way("(synth)", 0)


def matrix(
    mode: Mode = "auto",
    routes: Sequence[tuple[str, str]] = (),
    channel: int | None = None,
    *,
    synth: bool = True,
) -> ThruMatrix:
    return ThruMatrix(
        ThruSettings(mode, routes, channel),
        named=(PIANO, ROLAND),
        own=(OWN,),
        synth=("synth", SYNTH.output, 0) if synth else None,
        same_device=lambda source, output: source.split()[0].lower() == output.split()[0],
    )


def test_auto_is_what_is_named_but_the_keyboard_itself() -> None:
    assert matrix().ways("Keystation 88") == (Way(ROLAND, None), SYNTH)
    assert matrix().ways("Nanopad") == (Way(PIANO, None), Way(ROLAND, None), SYNTH)


def test_on_is_every_output_and_what_may_come_back_is_marked() -> None:
    assert matrix("on").ways("Keystation 88") == (
        Way(OWN, None),
        Way(PIANO, None, returns=True),
        Way(ROLAND, None),
        SYNTH,
    )
    assert matrix("on").ways("improv in")[0] == Way(OWN, None, returns=True)


def test_off_is_the_synth_alone_or_nothing() -> None:
    assert matrix("off").ways("Nanopad") == (SYNTH,)
    assert matrix("off", synth=False).ways("Nanopad") == ()


def test_routes_are_all_there_is() -> None:
    routed = matrix(routes=[("nano", "roland"), ("nano", "synth"), ("keys", "improv")])
    assert routed.ways("Nanopad") == (Way(ROLAND, None), SYNTH)
    assert routed.ways("Keystation 88") == (Way(OWN, None),)
    assert routed.ways("Launchkey") == ()


def test_a_route_back_to_the_keyboard_itself_is_taken_at_its_word() -> None:
    assert matrix(routes=[("keys", "keys")]).ways("Keystation 88") == (Way(PIANO, None, returns=True),)


def test_two_routes_to_one_output_are_one_way() -> None:
    assert matrix(routes=[("nano", "roland"), ("pad", "rol")]).ways("Nanopad") == (Way(ROLAND, None),)


def test_off_goes_before_routes() -> None:
    assert matrix("off", [("nano", "roland"), ("nano", "synth")]).ways("Nanopad") == (SYNTH,)


def test_what_is_not_routed_goes_as_the_mode_says() -> None:
    routed = matrix(routes=[("nano", "synth")])
    assert routed.ways("demo", routed=False) == (Way(PIANO, None), Way(ROLAND, None), SYNTH)


def test_midi_outputs_sound_on_the_channel_that_is_set() -> None:
    assert matrix(channel=4).ways("Keystation 88") == (Way(ROLAND, 4), SYNTH)


def test_ways_are_found_anew_when_ports_have_changed() -> None:
    home: set[str] = set()
    made = ThruMatrix(ThruSettings(), (ROLAND,), (), None, lambda source, output: output in home)
    assert made.ways("Nanopad") == (Way(ROLAND, None),)
    home.add(ROLAND)
    assert made.ways("Nanopad") == (Way(ROLAND, None),)
    made.ports_changed()
    assert made.ways("Nanopad") == ()


def test_outputs_of_routes_that_nobody_has_are_told() -> None:
    routed = matrix(routes=[("nano", "roland"), ("nano", "moog"), ("nano", "synth")])
    assert routed.unknown_outputs() == ("moog",)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ROL", ["roland", "roland two"]),
        ("roland fp-30", ["roland"]),
        ("moog", ["moo"]),
        ("korg", []),
    ],
)
def test_names_match_by_their_parts(text: str, found: list[str]) -> None:
    assert matching(text, ["roland", "moo", "roland two"]) == found

from __future__ import annotations

import pytest

from improv_daemon.settings.instruments import Instrument


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("0", 0),
        ("Vibraphone", 12),
        ('"vibraphone"', 12),
        ("acoustic grand piano", 1),
        ("Gunshot", 128),
    ],
)
def test_an_instrument_is_a_number_or_a_name(text: str, number: int) -> None:
    assert Instrument().parse(text) == number


@pytest.mark.parametrize("text", ["129", "-1", "kazoo", "", "1.5"])
def test_what_is_no_instrument_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Instrument().parse(text)


def test_files_may_name_it_too() -> None:
    assert Instrument().check("Vibraphone") == 12
    assert Instrument().check(40) == 40
    with pytest.raises(ValueError, match="Vibraphone"):
        Instrument().check(True)


def test_a_controller_goes_through_all_of_them() -> None:
    assert [Instrument().at(share) for share in (0.0, 0.5, 1.0)] == [0, 64, 128]

"""Times as musicians type them."""

from __future__ import annotations

import pytest
import typer

from improv_core.errors import ConfigError
from improv_daemon.cli_times import check_span, time_s


@pytest.mark.parametrize(
    ("text", "at_s"),
    [
        ("90", 90.0),
        ("1:30", 90.0),
        ("0:07.5", 7.5),
        (".5", 0.5),
        ("1:02:03", 3723.0),
        (" 12s ", 12.0),
        ("0", 0.0),
    ],
)
def test_seconds_minutes_and_hours_are_taken(text: str, at_s: float) -> None:
    assert time_s(text) == at_s


@pytest.mark.parametrize("text", ["", "abc", "-3", "1:", ":30", "1:2:3:4", "1,5", "nan", "inf", "1:75"])
def test_what_is_no_time_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no time"):
        time_s(text)


def test_a_span_ends_after_it_begins() -> None:
    for from_s, to_s in ((None, None), (3.0, None), (None, 2.0), (1.0, 2.0)):
        check_span(from_s, to_s)
    for from_s, to_s in ((2.0, 2.0), (3.0, 2.0), (None, 0.0)):
        with pytest.raises(ConfigError, match=r"--to must come after --from\."):
            check_span(from_s, to_s)

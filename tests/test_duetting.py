"""How improv keeps out of the player's way: where, how much, and who goes first."""

from __future__ import annotations

import numpy as np
import pytest

from improv_core.duetting import (
    AWAY_NATS,
    HELD_S,
    RECENT_S,
    ROLES,
    TOGETHER_PER_S,
    Company,
    goes_first,
    register,
)

NOBODY: frozenset[int] = frozenset()


def company_of(*onsets_s: float, pitch: int = 60) -> Company:
    company = Company()
    for at_s in onsets_s:
        company.press(pitch, at_s)
    return company


# --- register -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["support", "sparse"])
def test_support_is_under_the_player_by_its_distance(role: str) -> None:
    bias = register(ROLES[role], {72, 67, 79}, NOBODY, 4)
    assert bias is not None
    assert set(bias[:63]) == {0.0}
    assert set(bias[63:]) == {AWAY_NATS}


def test_lead_is_over_the_player_by_its_distance() -> None:
    bias = register(ROLES["lead"], {48, 55, 60}, NOBODY, 5)
    assert bias is not None
    assert set(bias[66:]) == {0.0}
    assert set(bias[:66]) == {AWAY_NATS}


@pytest.mark.parametrize(("role", "players", "free"), [("support", {40, 52}, 70), ("lead", {84, 90}, 50)])
def test_where_there_is_no_room_on_its_side_improv_takes_the_other(
    role: str, players: set[int], free: int
) -> None:
    bias = register(ROLES[role], players, NOBODY, 4)
    assert bias is not None
    assert bias[free] == 0.0
    assert {bias[pitch] for pitch in players} == {AWAY_NATS}


def test_where_there_is_room_on_neither_it_plays_between_the_players_notes() -> None:
    bias = register(ROLES["support"], {36, 90}, NOBODY, 4)
    assert bias is not None
    assert list(bias[36:42]) == pytest.approx([-9.0, -7.5, -6.0, -4.5, -3.0, 0.0])
    assert list(bias[85:91]) == pytest.approx([0.0, -3.0, -4.5, -6.0, -7.5, -9.0])
    assert set(bias[41:86]) == {0.0}


def test_a_distance_of_nothing_is_between_the_keys_themselves() -> None:
    bias = register(ROLES["support"], {36, 90}, NOBODY, 0)
    assert bias is not None
    assert list(np.flatnonzero(bias)) == [36, 90]


def test_a_key_that_the_player_holds_is_never_struck() -> None:
    bias = register(ROLES["support"], {72}, {72, 40}, 4)
    assert bias is not None
    assert list(np.flatnonzero(np.isneginf(bias))) == [40, 72]


def test_a_player_who_is_nowhere_is_in_nobodys_way() -> None:
    assert register(ROLES["support"], NOBODY, NOBODY, 4) is None


# --- what the player has done ---------------------------------------------------------------------


def test_the_player_is_where_they_have_played_lately_and_where_they_hold_keys() -> None:
    company = Company()
    company.press(40, 0.0)
    company.press(72, 5.0)
    assert company.pitches(5.0, NOBODY) == {72}
    assert company.pitches(5.0, {40, 72}) == {40, 72}
    assert company.pitches(5.0 + RECENT_S, NOBODY) == {72}
    assert company.pitches(5.1 + RECENT_S, NOBODY) == NOBODY
    assert company.pitches(HELD_S + 0.1, {40}) == NOBODY


def test_density_is_over_the_latest_four_seconds() -> None:
    company = company_of(*np.arange(0.0, 8.0, 0.25).tolist())
    assert company.notes_per_s(7.75) == pytest.approx(17 / 4)
    assert company.notes_per_s(20.0) == 0.0


def test_a_first_chord_is_no_density() -> None:
    assert company_of(1.0, 1.0, 1.0).notes_per_s(1.0) == 3.0


def test_the_usual_gap_counts_chords_once_and_forgets_pauses() -> None:
    company = company_of(0.0, 0.01, 0.5, 0.52, 1.0, 9.0, 9.5)
    assert company.gap_s == pytest.approx(0.5, abs=0.02)
    assert company.expected_s() == pytest.approx(9.5 + 1.25 * company.gap_s)


def test_the_players_density_and_improvs_are_counted_apart() -> None:
    company = company_of(0.0, 1.0)
    for at_s in (0.0, 0.5, 1.0, 1.5):
        company.played(at_s)
    assert (company.notes_per_s(2.0), company.own_notes_per_s(2.0)) == (1.0, 2.0)


# --- density --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_what_is_asked_falls_as_the_player_fills_the_time(role: str) -> None:
    asked = [ROLES[role].notes_per_s(players) for players in (9.0, 10.0, 11.0, 12.0, 20.0)]
    assert asked == sorted(asked, reverse=True)
    assert asked[-1] == ROLES[role].least_per_s


@pytest.mark.parametrize("players", [0.0, 1.0, 3.0, 6.0, 9.0, 11.0])
def test_together_they_are_no_more_than_is_clutter(players: float) -> None:
    for role in ROLES.values():
        asked = role.notes_per_s(players)
        assert role.least_per_s <= asked <= role.most_per_s
        assert asked + players <= max(TOGETHER_PER_S, players + role.least_per_s)


def test_sparse_is_sparse() -> None:
    for players in (1.0, 4.0, 8.0):
        assert ROLES["sparse"].notes_per_s(players) < ROLES["support"].notes_per_s(players) / 2


def test_below_its_density_improv_goes_first_and_above_it_waits() -> None:
    company = company_of(*np.arange(0.0, 4.01, 0.5).tolist())
    role = ROLES["support"]
    asked = role.notes_per_s(company.notes_per_s(4.0))
    assert asked == pytest.approx(9 / 4)
    assert goes_first(role, company, 4.0, 0.999)
    for at_s in np.linspace(0.1, 4.0, 9):
        company.played(float(at_s))
    assert goes_first(role, company, 4.0, 0.3)
    assert not goes_first(role, company, 4.0, 0.7)
    assert not goes_first(role, company, 4.0, 0.3, planned=3)
    for at_s in np.linspace(0.1, 4.0, 9):
        company.played(float(at_s))
    assert not goes_first(role, company, 4.0, 0.0)

"""The duet bench: who plays with what, and that it is improv's notes that are measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from bench.duet import WRITTEN, Tally, cell, duet, play, played
from playing import Room, model_that_plays, packaged_model, partner_of

from improv_core.notes import Note
from improv_daemon.settings import Settings
from improv_training.evaluation.duetting import TwoHands

UPPER = tuple(Note(72 + i % 5, 64, 0.25 * i, 0.2) for i in range(24))
LOWER = tuple(Note(48 + i % 3, 64, 0.5 * i, 0.4) for i in range(12))
PIECE = TwoHands("piece", UPPER, LOWER)


def settings_of(role: str) -> Settings:
    settings = replace(Settings(), mode="duet", seed=1)
    return replace(settings, duet=replace(settings.duet, role=role))


def test_improv_plays_with_the_hand_and_each_of_its_keys_is_timed() -> None:
    taken_s = list[tuple[float, float]]()
    notes = duet(settings_of("support"), packaged_model(), UPPER, taken_s)
    assert notes
    assert max(note.pitch for note in notes) < 72
    assert len(taken_s) == len(UPPER)
    assert all(clock_s > 0 for clock_s, _ in taken_s)


def test_the_same_seed_plays_the_same() -> None:
    first, second = (duet(settings_of("lead"), packaged_model(), LOWER, []) for _ in range(2))
    assert first == second


def test_notes_are_put_together_from_what_goes_out() -> None:
    room = Room(partner_of(model_that_plays(dt=200, duration=150, pedal=0), settings=settings_of("support")))
    room.call(72, 74, 76)
    room.run_for(20.0)
    assert [(note.onset_s, note.pitch) for note in played(room)] == room.onsets
    assert all(0 < note.duration_s < 0.3 for note in played(room))


def test_what_was_written_is_measured_beside_improv() -> None:
    tally = Tally()
    for role, is_lower in (("support", True), ("lead", False), ("sparse", True)):
        play(settings_of(role), packaged_model(), tally, "corpus", PIECE, PIECE, 6.0, is_lower=is_lower)
    assert {who for _, _, who in tally.of_pieces} == {"support", "lead", "sparse", WRITTEN}
    written = tally.of_pieces["corpus", "lower hand", WRITTEN]
    assert [row[-1] for row in written] == [1.0]


def test_shares_are_percent_and_rates_are_not() -> None:
    values = np.array([0.1, 0.3, np.nan])
    assert cell(values, "near") == "20.0 ± 10.0"
    assert cell(values, "notes_per_s") == "0.20 ± 0.10"
    assert cell(values[:1], "near") == ""

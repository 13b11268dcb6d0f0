from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tiny_corpora import random_performance

from improv_core.notes import Part
from improv_core.representation import Notes, Setting, encode
from improv_training.augment import Augmentation, Cast, augmented, chords_shuffled, random_cast

STILL = Augmentation(transpose_down=0, transpose_up=0, tempo=0, velocity=0)
UNSHUFFLED = Augmentation(shuffle=False)


def notes(seed: int = 3) -> Notes:
    return encode(random_performance(80, seed=seed))


def known(piece: Notes) -> Notes:
    """With its pitches as its voices, and a beat of 500 ms that every other note knows."""
    every_other = np.arange(len(piece)) % 2
    return replace(piece, setting=Setting(piece.pitch, piece.onset_ms * 480 // 500, 500 * every_other, "pop"))


def chords(piece: Notes, transposed: int = 0) -> list[set[int]]:
    """Pitches of each onset, in the order of the onsets."""
    onset_ms = np.cumsum(piece.dt_ms)
    return [set((piece.pitch[onset_ms == at] - transposed).tolist()) for at in np.unique(onset_ms)]


def rows(piece: Notes) -> list[tuple[int, ...]]:
    """Onset and attributes of each note."""
    columns = (np.cumsum(piece.dt_ms), piece.pitch, piece.velocity, piece.pedal, piece.duration_ms)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_chords_keep_their_place_and_their_notes() -> None:
    piece = notes()
    for seed in range(20):
        variant = augmented(piece, Augmentation(), np.random.default_rng(seed))
        assert chords(variant, int(variant.pitch.min() - piece.pitch.min())) == chords(piece)


def test_shuffling_reorders_notes_within_a_chord_and_nothing_else() -> None:
    piece = notes()
    shuffled = chords_shuffled(piece, np.random.default_rng(0))
    assert shuffled.pitch.tolist() != piece.pitch.tolist()
    np.testing.assert_array_equal(shuffled.dt_ms, piece.dt_ms)
    assert sorted(rows(shuffled)) == sorted(rows(piece))


def test_transposition_and_velocity_stay_within_their_ranges() -> None:
    piece = notes()
    moves = set()
    for seed in range(200):
        variant = augmented(piece, Augmentation(), np.random.default_rng(seed))
        moves.add(int(variant.pitch.min() - piece.pitch.min()))
        assert variant.velocity.min() >= 1
        assert variant.velocity.max() <= 127
        assert abs(int(variant.velocity.max()) - int(piece.velocity.max())) <= 10
    assert moves == set(range(-5, 7))


@pytest.mark.parametrize(("low", "high"), [(0, 127), (2, 126)])
def test_a_piece_that_fills_the_keyboard_is_moved_only_as_far_as_it_fits(low: int, high: int) -> None:
    piece = replace(notes(), pitch=np.linspace(low, high, len(notes())).astype(np.int64))
    for seed in range(60):
        pitch = augmented(piece, Augmentation(), np.random.default_rng(seed)).pitch
        assert pitch.min() >= 0
        assert pitch.max() <= 127


def test_tempo_scales_the_whole_piece_and_no_key_is_struck_while_it_is_down() -> None:
    piece = notes()
    for seed in range(20):
        variant = augmented(piece, Augmentation(), np.random.default_rng(seed))
        assert 0.9 <= variant.dt_ms.sum() / piece.dt_ms.sum() <= 1.1
        onset_ms = np.cumsum(variant.dt_ms)
        for pitch in set(variant.pitch.tolist()):
            own = variant.pitch == pitch
            assert np.all(onset_ms[own][1:] >= (onset_ms + variant.duration_ms)[own][:-1])


def test_without_changes_only_the_order_in_chords_differs() -> None:
    piece = notes()
    variant = augmented(piece, STILL, np.random.default_rng(1))
    np.testing.assert_array_equal(variant.dt_ms, piece.dt_ms)
    assert chords(variant) == chords(piece)
    assert sorted(variant.duration_ms.tolist()) == sorted(piece.duration_ms.tolist())


def test_nothing_is_changed_in_a_piece_without_notes() -> None:
    empty = np.zeros(0, dtype=np.int64)
    nothing = Notes(*[empty] * 5, setting=Setting(empty, empty, empty, "pop"))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        variant = augmented(nothing, Augmentation(), rng)
        assert len(variant) == len(random_cast(variant, rng).part) == 0


# --- what is known of a piece beside its notes ----------------------------------------------------


def test_each_note_keeps_its_voice_when_chords_are_shuffled_and_each_onset_its_beat() -> None:
    piece = known(notes())
    assert piece.setting is not None
    shuffled = chords_shuffled(piece, np.random.default_rng(0))
    assert shuffled.setting is not None
    assert shuffled.pitch.tolist() != piece.pitch.tolist()
    np.testing.assert_array_equal(shuffled.setting.voice, shuffled.pitch)
    np.testing.assert_array_equal(shuffled.setting.beat_ticks, shuffled.onset_ms * 480 // 500)
    np.testing.assert_array_equal(shuffled.setting.beat_ms, piece.setting.beat_ms)
    assert shuffled.setting.style == "pop"


def test_the_beat_grows_and_shrinks_with_the_piece_and_stays_where_it_was() -> None:
    piece, lengths = known(notes()), set()
    assert piece.setting is not None
    for seed in range(40):
        setting = augmented(piece, UNSHUFFLED, np.random.default_rng(seed)).setting
        variant = augmented(replace(piece, setting=None), UNSHUFFLED, np.random.default_rng(seed))
        assert setting is not None
        assert set(setting.beat_ms[::2]) == {0}  # where it was unknown
        np.testing.assert_array_equal(setting.beat_ticks, piece.setting.beat_ticks)
        (beat_ms,) = set(setting.beat_ms[1::2].tolist())
        if beat_ms:
            ratio = variant.onset_ms[-1] / piece.onset_ms[-1]
            assert beat_ms == pytest.approx(500 * ratio, abs=0.6)
            lengths.add(beat_ms)
    assert len(lengths) > 10
    assert min(lengths) < 475 < 525 < max(lengths)


def test_style_and_beat_are_kept_from_the_model_at_random_and_apart() -> None:
    piece, seen = known(notes()), Counter()
    for seed in range(2000):
        setting = augmented(piece, STILL, np.random.default_rng(seed)).setting
        assert setting is not None
        assert setting.style in {"pop", None}
        assert set(setting.beat_ms[1::2].tolist()) in ({500}, {0})
        seen[setting.style is not None, bool(setting.beat_ms.any())] += 1
    shares = [seen[which] / 2000 for which in ((True, True), (True, False), (False, True), (False, False))]
    assert shares == pytest.approx([0.42, 0.28, 0.18, 0.12], abs=0.03)


def test_an_unknown_style_stays_unknown() -> None:
    piece = known(notes())
    assert piece.setting is not None
    piece = replace(piece, setting=replace(piece.setting, style=None))
    for seed in range(20):
        setting = augmented(piece, Augmentation(), np.random.default_rng(seed)).setting
        assert setting is not None
        assert setting.style is None


def test_in_the_order_of_the_file_chords_are_left_as_they_are() -> None:
    piece = known(notes())
    same = augmented(piece, replace(STILL, shuffle=False), np.random.default_rng(1))
    for name in ("dt_ms", "pedal", "pitch", "velocity", "duration_ms"):
        np.testing.assert_array_equal(getattr(same, name), getattr(piece, name))


# --- who plays what -------------------------------------------------------------------------------


def casts(piece: Notes, count: int = 1000, **options: float) -> list[Cast]:
    return [random_cast(piece, np.random.default_rng(seed), **options) for seed in range(count)]


def at_once(found: list[Cast]) -> list[Cast]:
    """Those where both play at the same time: each is asked for a density of its own."""
    return [cast for cast in found if cast.group.any()]


def melody_and_chords(count: int = 200) -> Notes:
    """Voice 0 plays every fourth note, in between the others' pitches; voice 2 hardly plays."""
    place, zeros = np.arange(count), np.zeros(count, dtype=np.int64)
    voice = np.where(place % 4 == 0, 0, 1)
    voice[:10] = 2
    pitch = 40 + place * 7 % 48
    setting = Setting(voice, zeros, zeros)
    return Notes(np.full(count, 100), zeros, pitch, zeros + 64, zeros + 90, setting)


def test_improv_or_the_player_alone_turns_and_both_at_once_come_as_often_as_they_should() -> None:
    kinds: Counter[str] = Counter()
    for cast in casts(melody_and_chords(), 2000):
        parts = set(cast.part.tolist())
        if cast.group.any():
            np.testing.assert_array_equal(cast.group, cast.part)
            kinds["at once"] += 1
        else:
            kinds["turns" if len(parts) == 2 else Part(parts.pop()).name] += 1
    shares = [kinds[kind] / 2000 for kind in ("IMPROV", "PLAYER", "turns", "at once")]
    assert shares == pytest.approx([0.25, 0.15, 0.3, 0.3], abs=0.03)


def test_who_begins_and_which_side_is_whose_is_as_likely_one_way_as_the_other() -> None:
    found = casts(melody_and_chords(), 2000)
    turns = [cast for cast in found if not cast.group.any() and len(set(cast.part.tolist())) == 2]
    for some in (turns, at_once(found)):
        assert np.mean([cast.part[0] for cast in some]) == pytest.approx(0.5, abs=0.07)


def test_turns_are_as_long_as_they_are_said_to_be() -> None:
    piece = melody_and_chords(4000)
    for mean_turn in (10.0, 40.0):
        found = [c for c in casts(piece, 100, mean_turn=mean_turn) if not c.group.any()]
        switches = [int(np.count_nonzero(np.diff(cast.part))) for cast in found]
        turns = [count for count in switches if count]
        assert 4000 / np.mean(turns) == pytest.approx(mean_turn, rel=0.05)


def test_both_at_once_play_as_the_voices_do_one_against_the_rest() -> None:
    piece = melody_and_chords()
    assert piece.setting is not None
    melody = piece.setting.voice == 0
    found, by_voice = at_once(casts(piece, 2000)), 0
    for cast in found:
        mine = cast.part == cast.part[~melody][-1]
        chords = piece.setting.voice == 1
        if np.array_equal(mine, chords) or np.array_equal(mine, ~melody):
            by_voice += 1
        else:
            assert_low_against_high(piece, cast)
    assert by_voice / len(found) == pytest.approx(0.75, abs=0.05)


def assert_low_against_high(piece: Notes, cast: Cast) -> None:
    one, other = (piece.pitch[cast.part == part] for part in Part)
    low, high = (one, other) if one.mean() < other.mean() else (other, one)
    assert low.max() < high.min()
    assert 0.29 <= len(low) / len(piece) <= 0.71


def test_a_voice_that_hardly_plays_has_no_part_of_its_own() -> None:
    piece = melody_and_chords()
    assert piece.setting is not None
    rare = piece.setting.voice == 2
    assert rare.mean() == 0.05
    for cast in at_once(casts(piece)):
        assert not np.array_equal(cast.part == cast.part[rare][0], rare)


@pytest.mark.parametrize("setting", ["none", "one voice", "one that does nearly all"])
def test_where_there_is_no_other_voice_both_at_once_play_low_against_high(setting: str) -> None:
    piece = melody_and_chords()
    voice = np.zeros(len(piece), dtype=np.int64)
    voice[:10] = setting == "one that does nearly all"
    known_of_it = None if setting == "none" else Setting(voice, voice, voice)
    found = at_once(casts(replace(piece, setting=known_of_it)))
    assert len(found) > 250
    for cast in found:
        assert_low_against_high(piece, cast)
    splits = {int(np.count_nonzero(cast.part)) for cast in found}
    assert len(splits) > 20


def test_where_all_notes_are_one_key_one_of_both_has_them_all() -> None:
    piece = melody_and_chords()
    piece = replace(piece, pitch=np.full(len(piece), 60), setting=None)
    turns = [cast for cast in casts(piece, 400) if len(set(cast.part.tolist())) == 2]
    assert len(turns) / 400 == pytest.approx(0.3, abs=0.06)
    assert not at_once(turns)


def test_the_same_chance_gives_the_same_cast() -> None:
    for one, other in zip(casts(melody_and_chords(), 20), casts(melody_and_chords(), 20), strict=True):
        np.testing.assert_array_equal(one.part, other.part)
        np.testing.assert_array_equal(one.group, other.group)

"""The weights by which the length of the beat is judged, and how sure to be, fitted to corpora.

What length a beat has: a choice among the lengths that are told apart, by maximum likelihood, on a part of
the training splits. How sure to be: a logistic regression on the validation splits, of whether the next beat
after some silence is one, so that a confidence is a share of beats. Half the time playing begins anew every
eight seconds, as calls do. However many notes a corpus has, it counts as much as is said below.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.tables import print_table
from improv_core.pulse import PulseEstimate, PulseTracker
from improv_core.representation.asking import Pulse
from improv_core.tempogram import BEATS_S, Tempogram, judged
from improv_training.evaluation.pulses import Piece, next_beat_s, on_its_level

AT_MOST = 100
PER_PIECE_LENGTH, PER_PIECE_SURE = 20, 250
CALL_S = 8.0
SILENCES_S = (0.0, 0.35, 0.7, 1.5, 3.0)
FOR_LENGTH = {"pop909_main": 2.0, "piano_midi_de": 1.5, "wjazzd": 0.5}
FOR_SURENESS = {"wjazzd": 0.5}
"""How much each corpus counts: what tempo people feel is best known of songs."""

SAME_LENGTH = 0.045


def print_weights(folders: Sequence[Path], splits: Path) -> None:
    if importlib.util.find_spec("scipy") is None:
        print("Left out: scipy not installed.\n")
        return
    from bench.pulse import read

    lengths, sure = [], []
    for folder in folders:
        for begins_anew in (False, True):
            trained = read(folder, splits, "train", AT_MOST)
            lengths.append(
                (
                    FOR_LENGTH.get(folder.name, 1.0),
                    *of_length([one for one in trained if one.has_tempo], begins_anew),
                )
            )
            held_out = read(folder, splits, "validation", AT_MOST)
            sure.append(
                (
                    FOR_SURENESS.get(folder.name, 1.0),
                    *of_sureness([one for one in held_out if one.has_tempo], begins_anew),
                )
            )
    features, right, weight = together(lengths)
    by_length = minimised(choice_loss(features, right, weight), features.shape[2] + 3)
    features, right, weight = together(sure)
    certainty = minimised(logistic_loss(features, right, weight), features.shape[1])
    print_table(
        ("where", "weights"),
        [
            ("tempogram._BY_COHERENCE", rounded(by_length[:-3])),
            ("tempogram._BY_LENGTH", rounded(by_length[-3:])),
            ("pulse._CERTAINTY", rounded(certainty)),
        ],
    )
    print("How sure to be is fitted to the lengths that are found now: once these have changed, fit again.\n")


def heard(piece: Piece, begins_anew: bool, make: Callable) -> Iterator[tuple[int, float, float, object]]:
    """Each note, with a tracker or tempogram that has heard all up to it."""
    listener, begin_s = make(), float(piece.onset_s[0])
    for place, (at_s, velocity) in enumerate(
        zip(piece.onset_s.tolist(), piece.velocity.tolist(), strict=True)
    ):
        if begins_anew and at_s - begin_s > CALL_S:
            listener, begin_s = make(), at_s
        if isinstance(listener, PulseTracker):
            listener.onset(at_s, velocity)
        else:
            listener.add(at_s, velocity / 64)
        yield place, at_s, begin_s, listener


def of_length(pieces: Sequence[Piece], begins_anew: bool) -> tuple[np.ndarray, np.ndarray]:
    """Coherences (points, lengths, multiples), and which lengths are right (points, lengths)."""
    rng, features, right = np.random.default_rng(1), [], []
    for piece in pieces:
        known, chosen = piece.beats_s, picked(piece, PER_PIECE_LENGTH, rng)
        for place, at_s, begin_s, tempogram in heard(piece, begins_anew, Tempogram):
            if place not in chosen or at_s - begin_s < 1.0 or not known[2] < at_s < known[-3]:
                continue
            now = np.searchsorted(known, at_s)
            beat_s = np.median(np.diff(known[max(0, now - 5) : now + 2]))
            near_it = np.abs(np.log(BEATS_S / beat_s)) < SAME_LENGTH
            if near_it.any():
                features.append(tempogram.coherences().T)
                right.append(near_it)
    return np.array(features), np.array(right)


def of_sureness(pieces: Sequence[Piece], begins_anew: bool) -> tuple[np.ndarray, np.ndarray]:
    """Traits (points, traits), and whether the next beat was one (points,)."""
    rng, features, right = np.random.default_rng(3), [], []
    for piece in pieces:
        known, chosen = piece.beats_s, picked(piece, PER_PIECE_SURE, rng)
        for place, at_s, _, tracker in heard(piece, begins_anew, PulseTracker):
            lock = tracker._locked() if place in chosen else None
            if lock is None:
                continue
            silence_s = float(rng.choice(SILENCES_S))
            estimate = PulseEstimate(Pulse(lock.origin_s * 1e3, lock.beat_s * 1e3), 0.0)
            due_s = next_beat_s(estimate, at_s + silence_s + 0.05)
            if known[1] < due_s < known[-2]:
                features.append(tracker.traits(lock, silence_s))
                right.append(on_its_level(known, due_s, lock.beat_s))
    return np.array(features), np.array(right)


def picked(piece: Piece, count: int, rng: np.random.Generator) -> set[int]:
    notes = len(piece.onset_s)
    return set(rng.choice(notes, min(count, notes), replace=False).tolist())


def together(
    parts: Sequence[tuple[float, np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    total = sum(counts for counts, _, _ in parts)
    weight = np.concatenate([np.full(len(right), counts / total / len(right)) for counts, _, right in parts])
    features = np.concatenate([part for _, part, _ in parts])
    return features, np.concatenate([right for _, _, right in parts]), weight


def choice_loss(features: np.ndarray, right: np.ndarray, weight: np.ndarray) -> Callable:
    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        by_coherence, by_length = theta[:-3], theta[-3:]
        nothing = np.zeros((features.shape[2], len(BEATS_S)))
        scores = features @ by_coherence + judged(nothing, by_coherence, by_length)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        share = odds / odds.sum(axis=1, keepdims=True)
        hit = (share * right).sum(axis=1) + 1e-9
        away = (share - share * right / hit[:, None]) * weight[:, None]
        usual = np.stack([judged(nothing, by_coherence, row) for row in np.eye(3)], axis=1)
        slope = np.concatenate([np.einsum("pl,plm->m", away, features), away.sum(axis=0) @ usual])
        slope[:-3] += 2e-4 * by_coherence
        return float(-(weight @ np.log(hit)) + 1e-4 * by_coherence @ by_coherence), slope

    return loss


def logistic_loss(features: np.ndarray, right: np.ndarray, weight: np.ndarray) -> Callable:
    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        logits = features @ theta
        away = weight * (1 / (1 + np.exp(-logits)) - right)
        value = weight @ (np.logaddexp(0, logits) - right * logits) + 1e-5 * theta @ theta
        return float(value), features.T @ away + 2e-5 * theta

    return loss


def minimised(loss: Callable, size: int) -> np.ndarray:
    from scipy.optimize import minimize

    return minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x


def rounded(weights: np.ndarray) -> str:
    return ", ".join(f"{weight:.2f}" for weight in weights)

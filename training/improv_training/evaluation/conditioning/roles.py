"""Whether the model knows who is to play: a piece shared out between the player and improv.

Who is asked for is the only difference, with the latest pitch of whoever that is: both read the same notes,
with the same parts, and the same time and pedal of the next note. If the part means anything, asking for the
one who plays the upper voice raises what is expected, and the notes of each are likelier when it is asked for
than when the other is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import Part
from improv_core.representation import ATTRIBUTE_NAMES, KEYS, Notes
from improv_core.representation.asking import ASKED, own_pitches
from improv_core.representation.binning import IntArray
from improv_training.evaluation.reading import projected_before
from improv_training.evaluation.scoring import Scorer, head_figures

_PITCH = ATTRIBUTE_NAMES.index("pitch")
_OWN = [column.name for column in ASKED].index("own")


@dataclass(frozen=True, slots=True)
class Role:
    """improv in one role, the player in the other.

    Attributes:
        name: improv's: ``upper`` or ``lower``.
        notes: How many notes the figures are over, improv's own.
        nats: A note of improv's, its part asked for.
        nats_other: The same notes, the player's part asked for.
        pitch: Mean pitch that is expected, improv asked for, wherever improv's notes come.
        pitch_other: At the same places, the player asked for.
        pitch_real: Mean of improv's notes.
        pitch_real_other: Mean of the player's.
    """

    name: str
    notes: int
    nats: float
    nats_other: float
    pitch: float
    pitch_other: float
    pitch_real: float
    pitch_real_other: float


def roles(scorer: Scorer, pieces: Sequence[Notes]) -> list[Role]:
    """Both roles that improv may have in pieces of two voices.

    Args:
        scorer: The model.
        pieces: Held out, whose setting tells their voices; each is split into its highest voice on average
            and the rest. Those of one voice are left out.

    Returns:
        Nothing where no piece has two voices.
    """
    shared = [(one, side) for one in pieces if (side := upper_voice(one)) is not None]
    if not shared:
        return []
    return [_role(scorer, name, shared) for name in ("upper", "lower")]


def upper_voice(notes: Notes) -> NDArray[np.bool_] | None:
    """Which notes are of the voice that is highest on average, (n,); None where there is one voice only."""
    if notes.setting is None:
        return None
    voice = notes.setting.voice
    there = np.unique(voice)
    if len(there) < 2:
        return None
    highest = max(there.tolist(), key=lambda one: float(notes.pitch[voice == one].mean()))
    upper: NDArray[np.bool_] = voice == highest
    return upper


def _role(scorer: Scorer, name: str, shared: Sequence[tuple[Notes, NDArray[np.bool_]]]) -> Role:
    parts = [np.where(upper if name == "upper" else ~upper, Part.IMPROV, Part.PLAYER) for _, upper in shared]
    rows = [scorer.representation.rows(one, part) for (one, _), part in zip(shared, parts, strict=True)]
    mine = np.concatenate(parts) == Part.IMPROV
    before = np.concatenate(list(projected_before(scorer, [one.read for one in rows])))[mine]
    asked = np.concatenate([one.asked for one in rows])[mine]
    wanted = np.concatenate([one.targets for one in rows])
    pitch, wanted = wanted[:, _PITCH], wanted[mine]
    other = asked.copy()
    other[:, 0] = Part.PLAYER
    other[:, _OWN] = np.concatenate(
        [
            own_pitches(one.pitch, part, np.full_like(part, Part.PLAYER))
            for (one, _), part in zip(shared, parts, strict=True)
        ]
    )[mine]
    return Role(
        name,
        notes=len(wanted),
        nats=float(head_figures(scorer, before, asked, wanted).nats.sum(axis=1).mean()),
        nats_other=float(head_figures(scorer, before, other, wanted).nats.sum(axis=1).mean()),
        pitch=_expected_pitch(scorer, before, asked, wanted),
        pitch_other=_expected_pitch(scorer, before, other, wanted),
        pitch_real=float(pitch[mine].mean()),
        pitch_real_other=float(pitch[~mine].mean()),
    )


def _expected_pitch(
    scorer: Scorer, projected: NDArray[np.float32], asked: IntArray, wanted: IntArray
) -> float:
    z = scorer.heads.begin(projected, asked)
    logits = scorer.heads.outputs(_PITCH, z, list(wanted.T)).astype(np.float64)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return float((shares @ np.arange(KEYS)).mean())

"""The live partner, its modes and what they share."""

from improv_daemon.partner.notices import (
    AnswerEnded,
    CallHeard,
    Drawn,
    KeepWanted,
    Learned,
    Looping,
    ModeChanged,
    Muted,
    Notice,
    Phase,
    Said,
)
from improv_daemon.partner.partner import Partner, memory_of, new_seed, sampling_of
from improv_daemon.partner.policy import PATIENCE_S

__all__ = [
    "PATIENCE_S",
    "AnswerEnded",
    "CallHeard",
    "Drawn",
    "KeepWanted",
    "Learned",
    "Looping",
    "ModeChanged",
    "Muted",
    "Notice",
    "Partner",
    "Phase",
    "Said",
    "memory_of",
    "new_seed",
    "sampling_of",
]

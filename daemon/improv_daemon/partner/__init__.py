"""The live partner, its modes and what they share."""

from improv_daemon.partner.notices import AnswerEnded, CallHeard, ModeChanged, Notice, Phase, Said
from improv_daemon.partner.partner import Partner, memory_of, new_seed, sampling_of
from improv_daemon.partner.policy import PATIENCE_S

__all__ = [
    "PATIENCE_S",
    "AnswerEnded",
    "CallHeard",
    "ModeChanged",
    "Notice",
    "Partner",
    "Phase",
    "Said",
    "memory_of",
    "new_seed",
    "sampling_of",
]

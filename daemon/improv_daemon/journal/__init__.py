"""The journal of a session: everything that was played and sent, one JSON object a line.

It is written while playing, so that a crash loses next to nothing; the MIDI file and the sound of a session
are made from it.
"""

from improv_daemon.journal._encoder import improv_version
from improv_daemon.journal._file import DiskFile, JournalFile
from improv_daemon.journal._follower import JournalFollower
from improv_daemon.journal._format import JOURNAL_VERSION
from improv_daemon.journal._hands import Voice
from improv_daemon.journal._keeper import Keeper
from improv_daemon.journal._lock import lock
from improv_daemon.journal._performances import performances, voices
from improv_daemon.journal._reader import (
    Entry,
    Gap,
    Header,
    InForce,
    Journal,
    Loss,
    WallClock,
    clock_text,
    is_being_written,
    read_journal,
    what_is_missing,
)
from improv_daemon.journal._recent import RecentJournal
from improv_daemon.journal._writer import JournalWriter, Pace

__all__ = [
    "JOURNAL_VERSION",
    "DiskFile",
    "Entry",
    "Gap",
    "Header",
    "InForce",
    "Journal",
    "JournalFile",
    "JournalFollower",
    "JournalWriter",
    "Keeper",
    "Loss",
    "Pace",
    "RecentJournal",
    "Voice",
    "WallClock",
    "clock_text",
    "improv_version",
    "is_being_written",
    "lock",
    "performances",
    "read_journal",
    "voices",
    "what_is_missing",
]

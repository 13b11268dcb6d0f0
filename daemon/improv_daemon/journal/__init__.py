"""The journal of a session: everything that was played and sent, one JSON object a line.

It is written while playing, so that a crash loses nothing but the line it interrupts; the MIDI file and
the MP3 of a session are made from it afterwards.
"""

from improv_daemon.journal._hands import Voice
from improv_daemon.journal._performances import performances, voices
from improv_daemon.journal._reader import Entry, Gap, Header, Journal, is_being_written, read_journal
from improv_daemon.journal._writer import BackgroundSync, JournalWriter, Syncer

__all__ = [
    "BackgroundSync",
    "Entry",
    "Gap",
    "Header",
    "Journal",
    "JournalWriter",
    "Syncer",
    "Voice",
    "is_being_written",
    "performances",
    "read_journal",
    "voices",
]

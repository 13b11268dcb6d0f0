"""What is made of a session: its MIDI file, its sound and a summary, in a process that disturbs nobody.

`improv_daemon.keeper.finishing` makes the files, in whatever process; `improv_daemon.keeper.link` is the
mind's end of the process that does it while the session is played.
"""

from improv_daemon.keeper.kept import Kept
from improv_daemon.keeper.options import KeepOptions

__all__ = ["KeepOptions", "Kept"]

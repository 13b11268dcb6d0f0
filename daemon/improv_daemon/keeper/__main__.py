"""``python -m improv_daemon.keeper --options JSON FOLDER``: follows a session, finishes it when it is over.

Standard input says when that is: at its end. What came of it goes to standard output, see
`improv_daemon.keeper.telling`; nobody needs to read it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import sys
from pathlib import Path

from improv_core.errors import ImprovError
from improv_daemon.keeper.finishing import finish_session
from improv_daemon.keeper.following import NICENESS, Ending, aside, follow
from improv_daemon.keeper.options import KeepOptions
from improv_daemon.keeper.telling import Done, Refused, Telling, to_line
from improv_daemon.sessions.folder import SessionFolder


def main() -> int:
    """Run the keeper; the exit status is 0 when everything was made."""
    # Ctrl-C and a closed terminal end the session, and then there is work to do.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    arguments = _parse()
    out = _own_output()
    options, folder = KeepOptions.from_json(arguments.options), SessionFolder(arguments.folder)

    def tell(telling: Telling) -> None:
        with contextlib.suppress(OSError):  # the mind is gone: nobody wants to know
            os.write(out, to_line(telling))

    if arguments.low and hasattr(os, "nice"):
        os.nice(NICENESS)
    grown = aside(lambda: follow(folder, options, Ending(_has_ended)))
    try:
        kept = finish_session(
            folder, options, grown=grown, progress=lambda share: tell(Done(share)), told=_has_ended(0.0)
        )
        tell(kept)
    except ImprovError as refusal:
        tell(Refused(str(refusal)))
        return 1
    except Exception as fault:  # noqa: BLE001 - the one boundary: nobody reads a traceback here
        tell(Refused(f"The files of {folder.path} were not made, which is improv's own fault: {fault!r}."))
        return 1
    return 0


def _has_ended(within_s: float) -> bool:
    """Whether standard input has come to its end."""
    if os.name != "posix":  # elsewhere select is for sockets only
        return not sys.stdin.buffer.read(1)
    return bool(select.select([0], [], [], within_s)[0])


def _own_output() -> int:
    """What libraries print goes nowhere."""
    out = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for fd in (1, 2):
        os.dup2(nowhere, fd)
    return out


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m improv_daemon.keeper", description=__doc__)
    parser.add_argument("folder", type=Path, help="the session's")
    parser.add_argument("--options", required=True, help="KeepOptions as JSON")
    parser.add_argument("--low", action="store_true", help="with low priority to the end: somebody plays on")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

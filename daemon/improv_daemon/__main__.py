"""Where ``improv`` begins."""

from __future__ import annotations

import sys

from improv_daemon.interrupts import leaving_at_once


def main() -> int:
    """Load and run the command line; returns the exit status."""
    with leaving_at_once():
        from improv_daemon.cli import main as run
    return run()


if __name__ == "__main__":
    sys.exit(main())

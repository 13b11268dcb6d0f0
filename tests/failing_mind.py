"""improv with a fault of its own: the partner fails at a wake-up in the middle of an answer."""

from __future__ import annotations

import sys

from improv_daemon import cli
from improv_daemon.partner import Partner, Phase
from improv_daemon.wire import Command

_WAKES_IN_AN_ANSWER = 6


class _FailingPartner:
    wakes = 0
    wake = Partner.wake


def _wake(partner: Partner, now_s: float) -> list[Command]:
    _FailingPartner.wakes += partner.phase is Phase.ANSWERING
    if _FailingPartner.wakes > _WAKES_IN_AN_ANSWER:
        raise ZeroDivisionError("a fault of the test's making")
    return _FailingPartner.wake(partner, now_s)


if __name__ == "__main__":
    Partner.wake = _wake  # type: ignore[method-assign]
    sys.exit(cli.main())

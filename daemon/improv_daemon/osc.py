"""OSC messages of other programs on this computer (a pad of buttons, a patch, a DAW), taken as wishes.

What is no message, or asks for what cannot be, is said in a sentence and changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Final

from pythonosc.osc_message import OscMessage

from improv_daemon.controls import CUES
from improv_daemon.partner import Said
from improv_daemon.settings.rules import Switch, Whole
from improv_daemon.settings.schema import RULES
from improv_daemon.wire import Change, Cue, Learn, Wish

HOST: Final = "127.0.0.1"

LONGEST: Final = 1024
"""Bytes of a datagram; whoever sends more means somebody else."""

WAITING: Final = 200
"""So many wishes may wait to be carried out; further ones are left out."""

PACE_S: Final = 0.005
"""Between two wishes there is so much time for music."""

SAID_AGAIN_S: Final = 2.0
"""A sentence that was the last is not said anew sooner."""

_BUNDLE: Final = b"#bundle\0"
_BUNDLE_HEAD: Final = 16
_SHOWN: Final = 60
_SIGNIFICANT: Final = 6  # digits of a 32-bit float

NO_MESSAGE: Final = Said("Something came in at the OSC port that is no OSC message; improv left it out.")
TOO_MUCH: Final = Said("More comes in at the OSC port than improv can take; some of it was left out.")


# --- bytes to wishes --------------------------------------------------------------------------------


def read(datagram: bytes) -> list[Wish | Said]:
    """What a datagram asks for, and sentences about what of it cannot be.

    The time of a bundle is not waited for: what is asked for is asked for now.

    Args:
        datagram: As it came.
    """
    if len(datagram) > LONGEST:
        return [NO_MESSAGE]
    try:
        messages = [OscMessage(element) for element in _elements(datagram)]
        parsed = [(message.address, message.params) for message in messages]
    except Exception:  # noqa: BLE001 - bytes of anybody's making: the library has no one error for them
        return [NO_MESSAGE]
    meant = (_meant(address, arguments) for address, arguments in parsed)
    return [one for one in meant if one is not None]


def _elements(datagram: bytes) -> Iterator[bytes]:
    """The messages of a bundle, however deep; python-osc's own reading of a bundle can go round for ever."""
    if not datagram.startswith(_BUNDLE):
        yield datagram
        return
    rest = datagram[_BUNDLE_HEAD:]
    while rest:
        size = int.from_bytes(rest[:4], "big")
        element = rest[4 : 4 + size]
        if not size or len(element) != size:
            raise ValueError("the bundle is torn")
        yield from _elements(element)
        rest = rest[4 + size :]


def _meant(address: str, arguments: Sequence[Any]) -> Wish | Said | None:
    match address.split("/"):
        case ["", "improv", cue] if cue in CUES:
            return Cue(cue) if _is_press(arguments) else None
        case ["", "improv", "learn"]:
            return _learn(arguments)
        case ["", "improv", "set"]:
            if len(arguments) == 2 and isinstance(arguments[0], str):
                return _change(address, arguments[0], arguments[1])
            return Said(
                "/improv/set needs a setting and a value, as in /improv/set sampling.temperature 1.2."
            )
        case ["", "improv", *names] if ".".join(names) in RULES:
            if len(arguments) == 1:
                return _change(address, ".".join(names), arguments[0])
            return Said(f"{address} needs one value.")
    return Said(
        f"improv takes no OSC message {_shown(address)}; it takes settings such as /improv/mode or "
        f"/improv/sampling/temperature, /improv/set, /improv/learn, and /improv/ with {', '.join(CUES)}."
    )


def _learn(arguments: Sequence[Any]) -> Learn | Said:
    if not arguments:
        return Learn("")
    if len(arguments) == 1 and isinstance(arguments[0], str) and arguments[0].isprintable():
        return Learn(arguments[0])
    return Said("/improv/learn needs a setting or a cue, as in /improv/learn sampling.temperature.")


def _is_press(arguments: Sequence[Any]) -> bool:
    """A button sends 1 as it goes down and 0 as it comes up; others send nothing at all."""
    return not arguments or not isinstance(arguments[0], int | float) or arguments[0] > 0


def _change(address: str, key: str, value: object) -> Change | Said:
    if not key.isprintable():
        return NO_MESSAGE
    if isinstance(value, str) and value.isprintable():
        return Change(key, value)
    if isinstance(value, int | float) and math.isfinite(value):
        return Change(key, _fitting(key, value))
    return Said(f"What came with the OSC message {_shown(address)} is neither a number nor a text.")


def _fitting(key: str, value: float) -> float | int | bool:
    """The number as the setting wants it: buttons and faders send floats of 32 bits, whatever is meant."""
    match RULES.get(key):
        case Switch() if value in (0, 1):
            return bool(value)
        case Whole() if not isinstance(value, bool):
            return round(value)
    return float(f"{value:.{_SIGNIFICANT}g}") if isinstance(value, float) else value


def _shown(text: str) -> str:
    if not text.isprintable():
        return "of that name"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


# --- the port ---------------------------------------------------------------------------------------


class OscInbox(asyncio.DatagramProtocol):
    """Keeps what came until it is carried out; of two values for one setting the later.

    Args:
        say: Called with a sentence for the musician.

    Attributes:
        dropped: How many wishes were left out because too many were waiting.
    """

    def __init__(self, say: Callable[[Said], None]) -> None:
        self._say = say
        self._waiting: dict[str | int, Wish] = {}
        self._arrived = asyncio.Event()
        self._cues = 0
        self._said: tuple[Said | None, float] = None, 0.0
        self.dropped = 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Something came in."""
        for meant in read(data):
            if isinstance(meant, Said):
                self._tell(meant)
            else:
                self._keep(meant)

    def _keep(self, wish: Wish) -> None:
        if isinstance(wish, Change):
            key: str | int = wish.key
            self._waiting.pop(key, None)
        else:
            self._cues += 1
            key = self._cues
        if len(self._waiting) >= WAITING:
            self.dropped += 1
            self._tell(TOO_MUCH)
            return
        self._waiting[key] = wish
        self._arrived.set()

    def _tell(self, said: Said) -> None:
        """The same only now and then: whoever sends it may do so a thousand times a second."""
        now_s = asyncio.get_running_loop().time()
        latest, said_s = self._said
        if said != latest or now_s >= said_s + SAID_AGAIN_S:
            self._said = said, now_s
            self._say(said)

    async def carry_out(self, wish: Callable[[Wish], None]) -> None:
        """Hand on what comes, one after the other, until cancelled."""
        while True:
            await self._arrived.wait()
            wish(self._waiting.pop(next(iter(self._waiting))))
            if not self._waiting:
                self._arrived.clear()
            await asyncio.sleep(PACE_S)


@contextlib.asynccontextmanager
async def osc_messages(
    port: int, wish: Callable[[Wish], None], say: Callable[[Said], None]
) -> AsyncIterator[OscInbox | None]:
    """Take OSC messages at a UDP port of this computer, and of no other; without the port improv goes on.

    Args:
        port: Its number; 0 takes none.
        wish: Called with each wish.
        say: Called with a sentence for the musician.
    """
    transport, inbox = await _opened(port, say)
    if transport is None:
        yield None
        return
    async with asyncio.TaskGroup() as group:
        carrying = group.create_task(inbox.carry_out(wish))
        try:
            with _quiet_log():
                yield inbox
        finally:
            transport.close()
            carrying.cancel()


async def _opened(
    port: int, say: Callable[[Said], None]
) -> tuple[asyncio.DatagramTransport | None, OscInbox]:
    inbox = OscInbox(say)
    if not port:
        return None, inbox
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: inbox, local_addr=(HOST, port))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        say(
            Said(
                f"improv takes no OSC messages: UDP port {port} cannot be opened ({reason}); choose another "
                "one with controls.osc_port."
            )
        )
        return None, inbox
    return transport, inbox


@contextlib.contextmanager
def _quiet_log() -> Iterator[None]:
    """Without it python-osc's remarks on odd messages are written across the conversation."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)

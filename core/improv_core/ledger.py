"""The one owner of everything that sounds or is held on one output."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

Bytes = tuple[int, ...]
"""One MIDI message."""

NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROL = 0x80, 0x90, 0xA0, 0xB0
PROGRAM, PRESSURE, PITCH_BEND = 0xC0, 0xD0, 0xE0
HELD_CONTROLLERS = frozenset({64, 66, 67})
"""Sustain, sostenuto and soft pedal: a receiver keeps them until it is told otherwise."""

_RELEASE_VELOCITY = 64
_BEND_CENTRE = 0x2000
_ALL_SOUND_OFF, _ALL_NOTES_OFF = 120, 123
RELEASING_CONTROLLERS = frozenset({_ALL_SOUND_OFF, *range(_ALL_NOTES_OFF, 128)})
"""They let go of every key: all sound off, all notes off and the modes that imply it."""
RESET_CONTROLLERS = 121
"""Lets go of everything but keys."""

_WHOLE_CHANNEL = -1
_REST_OF = {PRESSURE: (0,), PITCH_BEND: (0, 64)}


class Ledger:
    """Knows who holds which key, pedal, bend and aftertouch of one output, and what is owed for it.

    Each method returns the MIDI messages that have to go out, in order; nothing else may be sent to the
    output. A key that several owners hold sounds until the last of them lets go; pedals and aftertouch are
    as far down as the owner who holds them deepest; the bend is that of the owner who bent last. Channels
    count from 0.
    """

    __slots__ = ("_bends", "_keys", "_pedals", "_pressures")

    def __init__(self) -> None:
        self._keys: dict[tuple[int, int], set[Hashable]] = {}
        self._pedals: dict[tuple[int, int], dict[Hashable, int]] = {}
        self._bends: dict[int, dict[Hashable, int]] = {}
        self._pressures: dict[tuple[int, int], dict[Hashable, int]] = {}

    @property
    def sounding(self) -> frozenset[tuple[int, int]]:
        """Every (channel, pitch) whose note-off is owed."""
        return frozenset(self._keys)

    @property
    def silent(self) -> bool:
        """Nothing is owed: no note-off, no pedal up, no bend or aftertouch back."""
        return not (self._keys or self._pedals or self._bends or self._pressures)

    def note_on(self, owner: Hashable, channel: int, pitch: int, velocity: int) -> list[Bytes]:
        """Press a key; one that sounds already gets its note-off first. Velocity 0 releases it."""
        if velocity == 0:
            return self.note_off(owner, channel, pitch)
        messages: list[Bytes] = []
        holders = self._keys.get((channel, pitch))
        if holders is None:
            holders = self._keys[channel, pitch] = set()
        else:
            messages.append((NOTE_OFF | channel, pitch, _RELEASE_VELOCITY))
        holders.add(owner)
        messages.append((NOTE_ON | channel, pitch, velocity))
        return messages

    def note_off(
        self, owner: Hashable, channel: int, pitch: int, velocity: int = _RELEASE_VELOCITY
    ) -> list[Bytes]:
        """Let go of a key; the note-off goes out when nobody holds it any more."""
        holders = self._keys.get((channel, pitch), set())
        if owner not in holders:
            return []
        holders.remove(owner)
        if holders:
            return []
        del self._keys[channel, pitch]
        self._pressures.pop((channel, pitch), None)
        return [(NOTE_OFF | channel, pitch, velocity)]

    def control(self, owner: Hashable, channel: int, controller: int, value: int) -> list[Bytes]:
        """Move a controller; the pedals are kept account of, the others pass."""
        if controller in RELEASING_CONTROLLERS:
            return self._release_keys(owner, channel)
        if controller == RESET_CONTROLLERS:
            return [
                *self._release_pedals(owner, channel),
                *self._release_bend(owner, channel),
                *self._release_pressures(owner, channel),
            ]
        if controller not in HELD_CONTROLLERS:
            return [(CONTROL | channel, controller, value)]
        deepest = _press(self._pedals, (channel, controller), owner, value)
        return [] if deepest is None else [(CONTROL | channel, controller, deepest)]

    def bend(self, owner: Hashable, channel: int, value: int) -> list[Bytes]:
        """Bend the channel's pitch: 0..16383, 8192 is straight."""
        holders = self._bends.setdefault(channel, {})
        before = _latest(holders)
        holders.pop(owner, None)
        alone = not holders
        if value != _BEND_CENTRE:
            holders[owner] = value
        after = _latest(holders)
        if not holders:
            del self._bends[channel]
        return [_bend_message(channel, after)] if alone or after != before else []

    def pressure(self, owner: Hashable, channel: int, value: int, pitch: int | None = None) -> list[Bytes]:
        """Aftertouch of a key that sounds, or of the whole channel."""
        if pitch is not None and value and (channel, pitch) not in self._keys:
            return []
        key = channel, _WHOLE_CHANNEL if pitch is None else pitch
        deepest = _press(self._pressures, key, owner, value)
        return [] if deepest is None else [_pressure_message(key, deepest)]

    def feed(self, owner: Hashable, message: Bytes) -> list[Bytes]:
        """Account for any channel message of an owner; what is none (sysex, clock) is not sent on."""
        if not message or not 0x80 <= message[0] < 0xF0:
            return []
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind == NOTE_ON:
            return self.note_on(owner, channel, message[1], message[2])
        if kind == NOTE_OFF:
            return self.note_off(owner, channel, message[1], message[2])
        if kind == CONTROL:
            return self.control(owner, channel, message[1], message[2])
        if kind == PITCH_BEND:
            return self.bend(owner, channel, message[1] | message[2] << 7)
        if kind == PRESSURE:
            return self.pressure(owner, channel, message[1])
        if kind == KEY_PRESSURE:
            return self.pressure(owner, channel, message[2], message[1])
        return [message]

    def release(self, owner: Hashable) -> list[Bytes]:
        """Let go of all that one owner holds; what others hold stays."""
        channels = range(16)
        return [
            *(m for channel in channels for m in self._release_keys(owner, channel)),
            *(m for channel in channels for m in self._release_pedals(owner, channel)),
            *(m for channel in channels for m in self._release_bend(owner, channel)),
            *(m for channel in channels for m in self._release_pressures(owner, channel)),
        ]

    def release_all(self) -> list[Bytes]:
        """Let go of everything, whoever holds it."""
        messages = list(self._owed())
        self._keys.clear()
        self._pedals.clear()
        self._bends.clear()
        self._pressures.clear()
        return messages

    def _owed(self) -> Iterator[Bytes]:
        for channel, pitch in sorted(self._keys):
            yield NOTE_OFF | channel, pitch, _RELEASE_VELOCITY
        for channel, controller in sorted(self._pedals):
            yield CONTROL | channel, controller, 0
        for channel in sorted(self._bends):
            yield _bend_message(channel, _BEND_CENTRE)
        for key in sorted(self._pressures):
            if key not in self._keys:
                yield _pressure_message(key, 0)

    def _release_keys(self, owner: Hashable, channel: int) -> list[Bytes]:
        held = sorted(key for key, holders in self._keys.items() if key[0] == channel and owner in holders)
        return [m for _, pitch in held for m in self.note_off(owner, channel, pitch)]

    def _release_pedals(self, owner: Hashable, channel: int) -> list[Bytes]:
        held = sorted(key for key, holders in self._pedals.items() if key[0] == channel and owner in holders)
        return [m for _, controller in held for m in self.control(owner, channel, controller, 0)]

    def _release_bend(self, owner: Hashable, channel: int) -> list[Bytes]:
        held = owner in self._bends.get(channel, {})
        return self.bend(owner, channel, _BEND_CENTRE) if held else []

    def _release_pressures(self, owner: Hashable, channel: int) -> list[Bytes]:
        held = sorted(key for key, by in self._pressures.items() if key[0] == channel and owner in by)
        return [
            m
            for _, pitch in held
            for m in self.pressure(owner, channel, 0, None if pitch == _WHOLE_CHANNEL else pitch)
        ]


def _press(
    held: dict[tuple[int, int], dict[Hashable, int]], key: tuple[int, int], owner: Hashable, value: int
) -> int | None:
    """Note how deep an owner holds something; how deep it is now, None when nobody needs to be told."""
    holders = held.setdefault(key, {})
    before = max(holders.values(), default=0)
    holders.pop(owner, None)
    alone = not holders
    if value:
        holders[owner] = value
    after = max(holders.values(), default=0)
    if not holders:
        del held[key]
    return after if alone or after != before else None


def _latest(bends: dict[Hashable, int]) -> int:
    return next(reversed(bends.values()), _BEND_CENTRE)


def _bend_message(channel: int, value: int) -> Bytes:
    return PITCH_BEND | channel, value & 0x7F, value >> 7


def _pressure_message(key: tuple[int, int], value: int) -> Bytes:
    channel, pitch = key
    return (PRESSURE | channel, value) if pitch == _WHOLE_CHANNEL else (KEY_PRESSURE | channel, pitch, value)


def held_by(message: Bytes) -> tuple[int, int] | None:
    """What a channel message presses, moves or lets go of, where receivers keep it until told otherwise.

    Returns:
        The kind, `NOTE_ON` for keys, and the key or controller, 0 where there is but one; else None.
    """
    kind = message[0] & 0xF0
    if kind in (NOTE_OFF, NOTE_ON):
        return NOTE_ON, message[1]
    if kind in (PRESSURE, PITCH_BEND):
        return kind, 0
    if kind == KEY_PRESSURE or (kind == CONTROL and message[1] in HELD_CONTROLLERS):
        return kind, message[1]
    return None


def lets_go_of_all(message: Bytes) -> bool:
    """Whether a message lets go of every key of its channel, or of everything else that is held there."""
    is_control = message[0] & 0xF0 == CONTROL
    return is_control and (message[1] in RELEASING_CONTROLLERS or message[1] == RESET_CONTROLLERS)


def is_rest(message: Bytes) -> bool:
    """Whether a message lets go of what it is `held_by`."""
    kind = message[0] & 0xF0
    if kind in _REST_OF:
        return message[1:] == _REST_OF[kind]
    return kind == NOTE_OFF or message[2] == 0


def rest_of(what: tuple[int, int], channel: int) -> Bytes:
    """The message that lets go of it."""
    kind, number = what
    if kind == NOTE_ON:
        return NOTE_OFF | channel, number, _RELEASE_VELOCITY
    return (kind | channel, *_REST_OF.get(kind, (number, 0)))

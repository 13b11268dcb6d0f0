"""Every sounding key and held pedal has an owner; nothing is owed at the end."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from improv_core.ledger import Ledger

OFF_60, ON_60 = (0x80, 60, 64), (0x90, 60, 90)


def test_note_on_goes_out_as_it_is() -> None:
    assert Ledger().note_on("player", 1, 60, 90) == [(0x91, 60, 90)]


def test_note_off_of_the_only_owner_goes_out() -> None:
    ledger = Ledger()
    ledger.note_on("player", 0, 60, 90)
    assert ledger.note_off("player", 0, 60) == [OFF_60]
    assert ledger.silent


def test_note_off_for_a_key_that_is_not_held_is_not_sent() -> None:
    assert Ledger().note_off("player", 0, 60) == []


def test_velocity_zero_is_a_note_off() -> None:
    ledger = Ledger()
    ledger.note_on("player", 0, 60, 90)
    assert ledger.note_on("player", 0, 60, 0) == [OFF_60]


def test_restruck_pitch_gets_its_off_first() -> None:
    ledger = Ledger()
    ledger.note_on("player", 0, 60, 90)
    assert ledger.note_on("player", 0, 60, 70) == [OFF_60, (0x90, 60, 70)]
    assert ledger.note_off("player", 0, 60) == [OFF_60]


def test_only_the_last_owners_off_is_sent() -> None:
    ledger = Ledger()
    ledger.note_on("player", 0, 60, 90)
    ledger.note_on(("improv", 1), 0, 60, 70)
    assert ledger.note_off("player", 0, 60) == []
    assert ledger.note_off(("improv", 1), 0, 60) == [OFF_60]


def test_release_of_improv_leaves_the_players_notes_and_pedal() -> None:
    ledger = Ledger()
    ledger.note_on("player", 0, 60, 90)
    ledger.control("player", 0, 64, 127)
    ledger.note_on(("improv", 1), 0, 60, 70)
    ledger.note_on(("improv", 1), 0, 72, 70)
    ledger.control(("improv", 1), 0, 64, 100)
    assert ledger.release(("improv", 1)) == [(0x80, 72, 64)]
    assert ledger.sounding == {(0, 60)}


def test_pedal_up_is_owed_while_it_is_down() -> None:
    ledger = Ledger()
    ledger.control("player", 0, 64, 100)
    assert ledger.release("player") == [(0xB0, 64, 0)]
    assert ledger.silent


def test_pedal_is_as_deep_as_the_owner_who_holds_it_deepest() -> None:
    ledger = Ledger()
    assert ledger.control("player", 0, 64, 50) == [(0xB0, 64, 50)]
    assert ledger.control(("improv", 1), 0, 64, 127) == [(0xB0, 64, 127)]
    assert ledger.control(("improv", 1), 0, 64, 0) == [(0xB0, 64, 50)]


def test_bend_returns_to_the_other_owners_and_then_to_the_centre() -> None:
    ledger = Ledger()
    ledger.bend("player", 0, 0)
    ledger.bend(("improv", 1), 0, 16383)
    assert ledger.release(("improv", 1)) == [(0xE0, 0, 0)]
    assert ledger.release_all() == [(0xE0, 0, 64)]


def test_other_controllers_pass() -> None:
    assert Ledger().control("player", 3, 1, 20) == [(0xB3, 1, 20)]


def test_all_notes_off_from_one_owner_releases_only_its_own_keys() -> None:
    ledger = Ledger()
    ledger.note_on("player", 0, 60, 90)
    ledger.note_on(("improv", 1), 0, 72, 70)
    assert ledger.feed("player", (0xB0, 123, 0)) == [OFF_60]


def test_reset_controllers_from_one_owner_lifts_its_own_pedal() -> None:
    ledger = Ledger()
    ledger.control("player", 0, 64, 127)
    assert ledger.feed("player", (0xB0, 121, 0)) == [(0xB0, 64, 0)]


def test_feed_reads_every_kind_of_channel_message() -> None:
    ledger = Ledger()
    messages = [ON_60, (0xC0, 4), (0xE0, 1, 65), OFF_60, (0xF8,), ()]
    assert [ledger.feed("player", message) for message in messages] == [
        [ON_60],
        [(0xC0, 4)],
        [(0xE0, 1, 65)],
        [OFF_60],
        [],
        [],
    ]


_OWNERS = st.sampled_from(["player", ("improv", 1), ("improv", 2)])
_CHANNELS, _PITCHES = st.integers(0, 1), st.integers(60, 62)
_STEPS = st.one_of(
    st.tuples(st.just("note_on"), _OWNERS, _CHANNELS, _PITCHES, st.integers(0, 127)),
    st.tuples(st.just("note_off"), _OWNERS, _CHANNELS, _PITCHES),
    st.tuples(
        st.just("control"),
        _OWNERS,
        _CHANNELS,
        st.sampled_from([64, 66, 67, 120, 121, 123]),
        st.integers(0, 127),
    ),
    st.tuples(st.just("bend"), _OWNERS, _CHANNELS, st.integers(0, 16383)),
    st.tuples(st.just("release"), _OWNERS),
)


class Receiver:
    """A synth that counts: each on needs its off, whatever came between."""

    def __init__(self) -> None:
        self.balance: Counter[tuple[int, int]] = Counter()
        self.pedals: dict[tuple[int, int], int] = {}
        self.bends: dict[int, tuple[int, int]] = {}

    def receive(self, message: tuple[int, ...]) -> None:
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind == 0x90:
            assert self.balance[channel, message[1]] == 0  # never struck twice without an off between
            self.balance[channel, message[1]] += 1
        elif kind == 0x80:
            self.balance[channel, message[1]] -= 1
            assert self.balance[channel, message[1]] == 0
        elif kind == 0xB0:
            self.pedals[channel, message[1]] = message[2]
        elif kind == 0xE0:
            self.bends[channel] = (message[1], message[2])


@given(st.lists(_STEPS, max_size=60))
def test_nothing_sounds_and_no_pedal_is_down_after_release_all(
    steps: list[tuple[str, object]],
) -> None:
    ledger, receiver = Ledger(), Receiver()
    for name, *arguments in steps:
        for message in getattr(ledger, name)(*arguments):
            receiver.receive(message)
        assert {key for key, count in receiver.balance.items() if count} == ledger.sounding
    for message in ledger.release_all():
        receiver.receive(message)
    assert not any(receiver.balance.values())
    assert not any(receiver.pedals.values())
    assert set(receiver.bends.values()) <= {(0, 64)}
    assert ledger.silent


@given(st.lists(_STEPS, max_size=60))
def test_improvs_release_never_cuts_a_key_the_player_holds(steps: list[tuple[str, object]]) -> None:
    ledger, held = Ledger(), set()
    for name, owner, *arguments in steps:
        getattr(ledger, name)(owner, *arguments)
        if owner != "player":
            continue
        if name == "note_on" and arguments[2]:
            held.add((arguments[0], arguments[1]))
        elif name in ("note_on", "note_off"):
            held.discard((arguments[0], arguments[1]))
        elif name == "release":
            held.clear()
        elif name == "control" and arguments[1] in (120, 123):
            held = {key for key in held if key[0] != arguments[0]}
    ledger.release(("improv", 1))
    ledger.release(("improv", 2))
    assert ledger.sounding == held


def test_aftertouch_is_as_deep_as_the_owner_who_presses_deepest() -> None:
    ledger = Ledger()
    assert ledger.feed("one", (0xD2, 40)) == [(0xD2, 40)]
    assert ledger.feed("two", (0xD2, 20)) == []
    assert ledger.feed("one", (0xD2, 0)) == [(0xD2, 20)]
    assert not ledger.silent
    assert ledger.release("two") == [(0xD2, 0)]
    assert ledger.silent


def test_aftertouch_of_a_key_ends_with_the_key_and_needs_one() -> None:
    ledger = Ledger()
    assert ledger.feed("one", (0xA2, 60, 40)) == []
    ledger.feed("one", (0x92, 60, 90))
    assert ledger.feed("one", (0xA2, 60, 40)) == [(0xA2, 60, 40)]
    assert ledger.feed("one", (0x82, 60, 64)) == [(0x82, 60, 64)]
    assert ledger.silent


def test_everything_that_is_let_go_of_includes_aftertouch() -> None:
    ledger = Ledger()
    ledger.feed("one", (0x92, 60, 90))
    ledger.feed("one", (0xA2, 60, 40))
    ledger.feed("one", (0xD2, 30))
    assert ledger.release_all() == [(0x82, 60, 64), (0xD2, 0)]
    assert ledger.silent


def test_reset_of_controllers_lets_go_of_aftertouch() -> None:
    ledger = Ledger()
    ledger.feed("one", (0xD2, 30))
    assert ledger.feed("one", (0xB2, 121, 0)) == [(0xD2, 0)]

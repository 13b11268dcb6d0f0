"""Whether answers at default settings are like what pieces go on with, and whether they stay varied.

    python -m bench.musicality MODEL --corpus NAME ... [--calls 300] [--minutes 30] [--split test]
        [--data FOLDER] [--splits FOLDER] [--set SECTION.NAME=VALUE ...] [-o FILE.json]
    python -m bench.musicality --refit

MODEL is `default` or a model file. Each call is a phrase of a held-out piece, played to a partner that has
heard nothing else; what it answers is set beside the phrase that comes next in the piece. Then one partner
hears a whole sitting of phrases. All of it at virtual time, by the code that plays live. Pieces that recur in
training are left out.

--refit prints what `improv_core.ranking` takes for usual, from phrases of the training pieces.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from playing import Room

from bench.corpora import add_corpora_options
from bench.tables import print_table
from improv_core.model import Model
from improv_core.motifs import Phrase, motif_overlap
from improv_core.ranking import NEAR, Typical, missed
from improv_core.representation import Notes
from improv_daemon.building import improviser_of
from improv_daemon.models import load_model
from improv_daemon.partner import AnswerEnded, CallHeard, Notice, Partner
from improv_daemon.phrases import key_messages
from improv_daemon.settings import Settings, changed
from improv_daemon.wire import Command, Released, Sounded
from improv_training.corpora.corpus import SPLITS as PLACES
from improv_training.corpora.corpus import Corpus
from improv_training.corpora.loading import load_corpus
from improv_training.corpora.near_duplicates import keep_out_of_test
from improv_training.evaluation.answering.phrases import (
    Exchange,
    choose_exchanges,
    phrase_of,
    sitting_of,
)
from improv_training.evaluation.answering.standing import Mean, Standing, mean_over_pieces, standings
from improv_training.evaluation.answering.typical import Turned, refitted, turned
from improv_training.evaluation.answering.variety import Variety, variety
from improv_training.evaluation.generated.calls import as_played

CORPORA = ("pianolatron_exp", "pop909_main", "piano_midi_de", "wjazzd", "maestro_v2")
REFITTED_ON = 2000

RELATING = ("cosine", "density", "velocity", "register", "motifs")
ENDING = ("slowing", "held", "stability", "repeats")
WORDS = {
    "cosine": "pitch-class cosine",
    "density": "density, answer to call",
    "velocity": "velocity, answer to call",
    "register": "register, semitones above the call",
    "motifs": "motif overlap with the call",
    "slowing": "last inter-onset interval over the median",
    "held": "length of the last chord over the median",
    "stability": "stability of the last chord in the key",
    "repeats": "4-interval runs heard before in the answer",
}
IN_OCTAVES = ("density", "velocity", "slowing", "held")

THINKING_S = 0.002
"""What each going-on of the partner's takes: of four answers it has thought of one note more by then."""

_PATIENCE_S = 90.0
_STEP_S = 0.25
_AFTERWARDS_S = 1.0


# --- playing --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """What improv answered to a call.

    Attributes:
        exchange: The call, and what the piece goes on with.
        notes: The answer as it sounded, on the sitting's clock.
        target_s: How long it was to be.
        rest_s: From the call's last onset to its first.
        early: How often improv began while the call still went on.
    """

    exchange: Exchange
    notes: Phrase
    target_s: float
    rest_s: float
    early: int


class Thinking(Partner):
    """A partner for whom thinking takes time: what it has not thought of when a key goes down is lost."""

    _free_s = 0.0

    def next_wakeup_s(self) -> float | None:
        at_s = super().next_wakeup_s()
        return None if at_s is None else max(at_s, self._free_s)

    def wake(self, now_s: float) -> list[Command]:
        self._free_s = now_s + THINKING_S
        return super().wake(now_s)


@dataclass
class Listening:
    """A room with a partner, and what it said of its turns."""

    settings: Settings
    room: Room
    notices: list[Notice] = field(default_factory=list)

    @classmethod
    def with_partner(cls, settings: Settings, model: Model, seed: int) -> Listening:
        notices: list[Notice] = []
        improviser = improviser_of(settings, model, seed)
        partner = Thinking(improviser, settings, seed=seed, styles=model.styles, notify=notices.append)
        return cls(settings, Room(partner, now_s=1.0), notices)

    def play(self, call: Notes) -> float:
        """Play a phrase now; returns its last onset."""
        begin_s, last_s = self.room.now_s, self.room.now_s
        for at_s, data in key_messages(as_played(call)):
            self.room.run_for(begin_s + at_s - self.room.now_s)
            self.room.play(*data)
            if data[0] == 0x90:
                last_s = self.room.now_s
        if call.pedal.any():
            self.room.play(0xB0, 64, 0)
        return last_s

    def answer(self, exchange: Exchange) -> Answered | None:
        """Play a call and hear the answer out; None where there is none."""
        told = len(self.notices)
        events = len(self.room.events)
        last_s = self.play(exchange.call)
        begun = [one for one in self.notices[told:] if isinstance(one, CallHeard)]
        heard = None
        until_s = self.room.now_s + _PATIENCE_S
        while heard is None and self.room.now_s < until_s:
            self.room.run_for(_STEP_S)
            heard = self._ended(told, last_s)
        if heard is None:
            return None
        self.room.run_for(_AFTERWARDS_S)
        called, turn = heard
        notes = sounded(self.room, events, turn)
        early = sum(one.turn != turn for one in begun)
        first_s = float(notes.onset_s[0]) if len(notes) else math.nan
        return Answered(exchange, notes, self._target_s(called), first_s - last_s, early)

    def _ended(self, told: int, last_s: float) -> tuple[CallHeard, int] | None:
        """The call, and the turn, of an answer that was begun after the call's last onset and has ended."""
        ended = {one.turn for one in self.notices[told:] if isinstance(one, AnswerEnded)}
        for one in self.notices[told:]:
            if isinstance(one, CallHeard) and one.turn in ended and one.call.last_onset_s >= last_s - 1e-6:
                return one, one.turn
        return None

    def _target_s(self, called: CallHeard) -> float:
        answer = self.settings.answer
        length_s = called.call.length_s * answer.length_ratio
        return min(answer.length_max_s, max(answer.length_min_s, length_s))


def sounded(room: Room, since: int, turn: int) -> Phrase:
    """The notes of a turn, by what the stage told of them."""
    onsets: dict[int, Sounded] = {}
    releases_s: dict[int, float] = {}
    for event in room.events[since:]:
        match event:
            case Sounded() if event.turn == turn:
                onsets[event.index] = event
            case Released() if event.turn == turn:
                releases_s[event.index] = event.at_s
    return Phrase.of(
        (one.at_s, one.pitch, one.velocity, releases_s.get(index, one.at_s) - one.at_s)
        for index, one in onsets.items()
    )


def answers_to(
    exchanges: Sequence[Exchange], settings: Settings, model: Model, seed: int
) -> list[Answered | None]:
    """Each call to a partner of its own."""
    begin_s, answers = time.monotonic(), list[Answered | None]()
    for i, exchange in enumerate(exchanges):
        answers.append(Listening.with_partner(settings, model, seed + i).answer(exchange))
        if (i + 1) % 25 == 0:
            say(f"{i + 1} of {len(exchanges)} calls in {time.monotonic() - begin_s:.0f} s")
    return answers


def sat(
    exchanges: Sequence[Exchange], settings: Settings, model: Model, seed: int, minutes: float
) -> list[Answered | None]:
    """All calls to one partner, until the time is over."""
    listening = Listening.with_partner(settings, model, seed)
    answers: list[Answered | None] = []
    for exchange in exchanges:
        if listening.room.now_s > 60 * minutes:
            break
        answers.append(listening.answer(exchange))
    say(f"a sitting of {listening.room.now_s / 60:.0f} minutes, {len(answers)} calls")
    return answers


# --- telling --------------------------------------------------------------------------------------


def main() -> None:
    arguments = parsed()
    names = dict.fromkeys((*arguments.corpus, *arguments.training))
    loaded = [load_corpus(arguments.data / name, arguments.splits, arguments.cache) for name in names]
    corpora = {corpus.name: corpus for corpus in keep_out_of_test(loaded).corpora}
    if arguments.refit:
        refit([corpora[name] for name in arguments.training])
        return
    settings, model = changed_by(arguments.set), load_model(arguments.model)
    chosen = [corpora[name] for name in arguments.corpus]
    told: dict[str, Any] = {"model": arguments.model, "split": arguments.split, "seed": arguments.seed}
    told |= {"settings": asdict(settings)}
    if arguments.calls:
        exchanges = choose_exchanges(chosen, arguments.split, arguments.calls, seed=arguments.seed)
        told |= report_calls(answers_to(exchanges, settings, model, arguments.seed))
    if arguments.minutes:
        played = sitting_of(chosen, arguments.split, seed=arguments.seed)
        told |= report_sitting(sat(played, settings, model, arguments.seed, arguments.minutes))
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(told, indent=1, default=str) + "\n", encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.musicality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", default="default")
    parser.add_argument("--corpus", nargs="+", default=CORPORA, metavar="NAME", help="where calls come from")
    add_corpora_options(parser)
    parser.add_argument("--split", choices=PLACES, default="test", help="validation, to choose settings on")
    parser.add_argument("--calls", type=int, default=300, help="0 for the sitting alone")
    parser.add_argument("--minutes", type=float, default=30.0, help="of the sitting; 0 for the calls alone")
    parser.add_argument("--set", nargs="*", default=(), metavar="SECTION.NAME=VALUE", help="not the default")
    parser.add_argument("--seed", type=int, default=1, help="of calls and of chance")
    parser.add_argument("--refit", action="store_true", help="only print what ranking takes for usual")
    parser.add_argument("-o", "--output", type=Path, help="JSON of all figures")
    return parser.parse_args()


def changed_by(changes: Iterable[str]) -> Settings:
    """The settings that improv comes with, but for some."""
    settings = Settings()
    for change in changes:
        key, _, value = change.partition("=")
        settings = changed(settings, key, value)
    return settings


def refit(training: Sequence[Corpus]) -> None:
    exchanges = choose_exchanges(training, "train", REFITTED_ON)
    for name, one in refitted(exchanges).items():
        said = ", one_sided=True" if one.one_sided else ""
        said += f", weight={one.weight:g}" if one.weight != 1 else ""
        print(f'    "{name}": Typical({one.low:.3f}, {one.middle:.3f}, {one.high:.3f}{said}),')


# --- calls ----------------------------------------------------------------------------------------


def report_calls(answered: Sequence[Answered | None]) -> dict[str, Any]:
    """Print how answers stand beside what the pieces go on with."""
    answers = [one for one in answered if one is not None and len(one.notes)]
    early = sum(one.early for one in answers)
    print(f"{len(answered)} calls, {len(answers)} answered; improv began {early} times within a call.\n")
    exchanges = [one.exchange for one in answers]
    real = [turned(one) for one in exchanges]
    improv = [Turned(one.call, answer.notes, one.before) for one, answer in zip(real, answers, strict=True)]
    others = [
        Turned(one.call, real[place].answer, one.before)
        for one, place in zip(real, elsewhere(exchanges), strict=True)
    ]
    told = {
        name: standings([one.traits for one in those], [one.traits for one in real])
        for name, those in (("improv", improv), ("another piece", others))
    }
    print_standings("Relation to the call", RELATING, told)
    print_standings("Endings", ENDING, told)
    lengths = report_lengths(answers)
    overlaps = report_overlaps(exchanges, improv, real)
    return {
        "answered": len(answers),
        "early": early,
        "standings": {name: [asdict(one) for one in those] for name, those in told.items()},
        "lengths": lengths,
        "overlaps": {name: asdict(one) for name, one in overlaps.items()},
    }


def elsewhere(exchanges: Sequence[Exchange]) -> list[int]:
    """For each the place of one of another piece, of its own corpus where there is any."""
    rng = np.random.default_rng(1)
    places = []
    for one in exchanges:
        strangers = [i for i, other in enumerate(exchanges) if other.piece != one.piece]
        near = [i for i in strangers if exchanges[i].corpus == one.corpus]
        places.append(int(rng.choice(near or strangers)))
    return places


def print_standings(title: str, names: Sequence[str], told: dict[str, list[Standing]]) -> None:
    found = {who: {one.name: one for one in those} for who, those in told.items()}
    print_table(
        (
            title,
            "the piece goes on: median, middle 80 %",
            "improv: median, middle 80 %",
            "inside",
            "another piece's phrase: median",
            "inside",
            "holds",
        ),
        (_standing_row(name, found["improv"][name], found["another piece"][name]) for name in names),
    )
    print(
        "Inside: share within the middle 80 % of what the pieces go on with. It holds where the median is "
        "inside and the share is no further below 80 % than two standard errors.\n"
    )


def _standing_row(name: str, improv: Standing, other: Standing) -> tuple[str, ...]:
    return (
        WORDS[name],
        _spread(name, improv.real),
        _spread(name, improv.answers),
        f"{improv.inside:.1%}",
        _number(name, other.answers.middle),
        f"{other.inside:.1%}",
        "yes" if improv.holds else "no",
    )


def _spread(name: str, one: Typical) -> str:
    return f"{_number(name, one.middle)} ({_number(name, one.low)} to {_number(name, one.high)})"


def _number(name: str, value: float) -> str:
    return (
        f"{2**value:.2f}" if name in IN_OCTAVES else f"{value:.1f}" if name == "register" else f"{value:.3f}"
    )


def report_lengths(answers: Sequence[Answered]) -> dict[str, float]:
    """Print how near to its target an answer ends."""
    off = np.array([missed(one.notes, one.target_s) for one in answers])
    near = float((np.abs(off) <= 1).mean())
    low, middle, high = (NEAR ** np.percentile(off, (10, 50, 90))).tolist()
    print(
        f"Last onset over the target: median {middle:.2f}, middle 80 % {low:.2f} to {high:.2f}; "
        f"within 25 % {near:.1%}.\n"
    )
    return {"near": near, "low": low, "median": middle, "high": high}


def report_overlaps(
    exchanges: Sequence[Exchange], improv: Sequence[Turned], real: Sequence[Turned]
) -> dict[str, Mean]:
    """Print how much of answers is in their calls, and how much in calls of other pieces."""
    pieces = [one.piece for one in exchanges]
    found: dict[str, Mean] = {}
    for who, those in (("improv", improv), ("the piece", real)):
        own = [motif_overlap(one.answer, one.call) for one in those]
        other = [
            float(np.mean([motif_overlap(one.answer, another.call) for another in strangers]))
            for one, strangers in zip(those, _strangers(exchanges, those), strict=True)
        ]
        more = [mine - theirs for mine, theirs in zip(own, other, strict=True)]
        found |= {
            f"{who}, own call": mean_over_pieces(own, pieces),
            f"{who}, other calls": mean_over_pieces(other, pieces),
            f"{who}, difference": mean_over_pieces(more, pieces),
        }
    print_table(
        ("share of motifs found in", "mean", "95 % over draws of pieces"),
        ((name, f"{one.value:.4f}", f"{one.low:.4f} to {one.high:.4f}") for name, one in found.items()),
    )
    print("A motif is four notes, as intervals and rhythm; other calls are of the same corpus.\n")
    return found


def _strangers(exchanges: Sequence[Exchange], those: Sequence[Turned]) -> list[list[Turned]]:
    """For each exchange those of its corpus that are of another piece."""
    return [
        [
            another
            for other, another in zip(exchanges, those, strict=True)
            if other.piece != one.piece and other.corpus == one.corpus
        ]
        or [another for other, another in zip(exchanges, those, strict=True) if other.piece != one.piece]
        for one in exchanges
    ]


# --- a sitting ------------------------------------------------------------------------------------


def report_sitting(answered: Sequence[Answered | None]) -> dict[str, Any]:
    """Print how phrases of a sitting repeat one another and vary."""
    answers = [one for one in answered if one is not None and len(one.notes.onsets_s) > 1]
    lasted_s = float(answers[-1].notes.onset_s[-1])
    print(f"A sitting of {lasted_s / 60:.0f} minutes: {len(answered)} calls, {len(answers)} answered.\n")
    calls = [phrase_of(one.exchange.call) for one in answers]
    truths = [phrase_of(one.exchange.truth) for one in answers]
    rests_s = [one.exchange.rest_s for one in answers]
    told = {
        "improv's answers": variety([one.notes for one in answers], [one.rest_s for one in answers]),
        "the calls": variety(calls, rests_s),
        "what the pieces go on with": variety(truths, rests_s),
    }
    print_varieties(told)
    return {"sitting": {name: asdict(one) for name, one in told.items()}}


def print_varieties(told: dict[str, Variety]) -> None:
    print_table(
        (
            "phrases",
            "how many",
            "notes",
            "8-note runs shared with another",
            "repeated within",
            "openings of their own",
            "commonest opening",
            "length: median, sd/mean",
            "rest before: median, sd/mean",
        ),
        ((name, *_variety_row(one)) for name, one in told.items()),
    )


def _variety_row(one: Variety) -> tuple[str, ...]:
    return (
        f"{one.phrases}",
        f"{one.notes:,}",
        f"{one.shared:.1%}",
        f"{one.repeats:.1%}",
        f"{one.openings:.1%}",
        f"{one.commonest:.1%}",
        f"{one.length_s:.1f} s, {one.length_spread:.2f}",
        f"{one.rest_s:.2f} s, {one.rest_spread:.2f}",
    )


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

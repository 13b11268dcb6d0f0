"""Pieces of validation and test that are also in training, in and across corpora.

    python -m bench.near_duplicates [--corpora FOLDER] [--splits FOLDER] [--quick]

First the mix that the default model is trained on, then with MAESTRO beside it.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.corpora import HERE, SPLITS, unpacked
from bench.tables import load_average, print_table
from improv_training.corpora.corpus import Corpus
from improv_training.corpora.loading import load_corpus
from improv_training.corpora.near_duplicates import keep_out_of_test, tally

BESIDE = "maestro_v2"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpora", type=Path, default=HERE, help="folder of corpora or their .tar.xz")
    parser.add_argument("--splits", type=Path, default=SPLITS, help="folder of NAME.json for each")
    parser.add_argument("--quick", action="store_true", help="without MAESTRO")
    arguments = parser.parse_args()
    with unpacked(arguments.corpora) as folders, TemporaryDirectory() as cache:
        if not folders:
            print(f"Left out: no corpora in {arguments.corpora}.\n")
            return
        corpora = [
            load_corpus(folder, arguments.splits, Path(cache), workers=os.cpu_count() or 1)
            for folder in folders
            if not (arguments.quick and folder.name == BESIDE)
        ]
        measure([corpus for corpus in corpora if corpus.name != BESIDE])
        if not arguments.quick:
            measure(corpora)


def measure(corpora: Sequence[Corpus]) -> None:
    begin_s = time.perf_counter()
    kept = keep_out_of_test(corpora)
    taken_s = time.perf_counter() - begin_s
    notes = sum(len(corpus.rows) for corpus in corpora)
    pieces = sum(len(corpus.files) for corpus in corpora)
    print_table(("corpus", "split", "has the", "as in training of", "pieces"), tally(kept.left_out))
    held_out = sum(corpus.split.count(split) for corpus in corpora for split in ("validation", "test"))
    print(
        f"{len(kept.left_out)} of {held_out} pieces of validation and test left out; {pieces:,} pieces, "
        f"{notes:,} notes searched in {taken_s:.1f} s; load average {load_average()}.\n"
    )


if __name__ == "__main__":
    main()

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_corpora import make_corpus, random_pieces, require_training_extra
from training_runs import weights

with contextlib.suppress(ImportError):
    import torch

    from improv_training.corpora.corpus import save_corpus
    from improv_training.engine.checkpoints import load_checkpoint
    from improv_training.fit import main

ROOT = Path(__file__).parent.parent

PRESET = """
summary = "small"
[representation]
kind = "symbols"
chords = "pitches"
min_count = 1
[network]
inputs = 8
hidden = 16
layers = 2
projected = 0
dropout = 0.3
[training]
lanes = 2
chunk = 16
validate_every = 3
checkpoint_every_s = 0.0
precision = "32-true"
"""


def only(folder: Path, *names: str) -> Path:
    """A folder of links to distributions and to what they cannot be installed without."""
    folder.mkdir()
    wanted, done = [*names], set()
    while wanted:
        name = wanted.pop()
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found = importlib.metadata.distribution(name)
            if found.name in done:
                continue
            done.add(found.name)
            for file in found.files or ():
                target = Path(str(found.locate_file(file.parts[0])))
                if target.exists() and ".." not in file.parts and not (folder / target.name).exists():
                    (folder / target.name).symlink_to(target)
            for line in found.requires or ():
                if "extra ==" not in line:
                    wanted.append(re.split(r"[^\w.-]", line)[0])
    return folder


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_training_extra()
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    (tmp_path / "small.toml").write_text(PRESET)
    corpus = make_corpus(random_pieces(8), {"01.mid": "validation", "06.mid": "validation"})
    save_corpus(corpus, tmp_path / "encoded")


def arguments(run: str, *more: str) -> list[str]:
    return [run, "encoded/tiny.json", *more]


NEW = ("--preset", "small.toml", "--updates", "12")


def environment() -> dict[str, str]:
    path = os.pathsep.join(str(ROOT / name) for name in ("core", "training"))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def test_fitting_needs_numpy_torch_and_lightning_alone(tmp_path: Path) -> None:
    packages = only(tmp_path / "packages", "numpy", "torch", "lightning")
    assert not {"rich", "mido", "typer", "onnxruntime"} & {path.name for path in packages.iterdir()}
    path = os.pathsep.join(map(str, (ROOT / "core", ROOT / "training", packages)))
    command = [sys.executable, "-S", "-m", "improv_training.fit", *arguments("run", *NEW)]
    ran = subprocess.run(
        command, env={**environment(), "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1] == "Best checkpoint: run/best.ckpt"
    assert load_checkpoint(Path("run/last.ckpt")).updates == 12
    assert [path.name for path in Path("run/log").iterdir()] == ["metrics.csv"]


def test_a_killed_run_goes_on_from_its_last_checkpoint_to_the_weights_of_an_unbroken_one() -> None:
    assert main(arguments("whole", *NEW)) == 0
    command = [sys.executable, "-m", "improv_training.fit", *arguments("broken", *NEW)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "update 6," in line:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert 3 <= load_checkpoint(Path("broken/last.ckpt")).updates <= 12
    assert main(arguments("broken", "--resume")) == 0
    found = weights(Path("broken"))
    for name, value in weights(Path("whole")).items():
        assert torch.equal(found[name], value), name


def test_sigterm_ends_the_process_with_a_sentence_and_the_usual_status() -> None:
    command = [
        sys.executable,
        "-m",
        "improv_training.fit",
        *arguments("run", *NEW[:2], "--updates", "100000"),
    ]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "update" in line)
        process.send_signal(signal.SIGTERM)
        lines = process.stdout.read().splitlines()
    updates = load_checkpoint(Path("run/last.ckpt")).updates
    assert process.returncode == 143
    assert lines[-1] == f"Stopped after {updates:,} updates; go on with --resume."


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            ("run", "gone.json"),
            "gone.json is no encoded corpus of this improv, or is damaged; encode it again.",
        ),
        (arguments("run", "--updates", "0"), "This cannot be trained: updates is 1 at least, not 0."),
        (arguments("run", "--hours", "-1"), "This cannot be trained: hours is more than 0, not -1.0."),
        (arguments("run", "--preset", "none"), "There is no preset 'none'; there are "),
        (arguments("run", "--resume"), "run holds no last.ckpt to go on from; leave out --resume."),
    ],
)
def test_bad_input_gets_one_sentence(
    given: list[str], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(given) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_a_run_is_gone_on_with_by_its_own_plan(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(arguments("run", *NEW)) == 0
    capfd.readouterr()
    assert main(arguments("run", "--resume", "--preset", "piano")) == 2
    assert (
        capfd.readouterr().err
        == "A run that is gone on with keeps its preset: leave out --preset and --from.\n"
    )
    assert main(arguments("run", "--resume", "--updates", "14")) == 0
    kept: Any = load_checkpoint(Path("run/last.ckpt"))
    assert (kept.updates, kept.plan.preset, kept.plan.shape.hidden) == (14, "small", 16)


def test_that_corpora_are_canonical_is_remembered() -> None:
    assert main(arguments("run", *NEW, "--canonical")) == 0
    plan = load_checkpoint(Path("run/last.ckpt")).plan
    assert (plan.canonical, plan.augmentation.shuffle) == (True, False)

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_corpora import TINY, random_performance, random_pieces, require_training_extra, scale, write_corpus

from improv_core.model import Model
from improv_daemon import cli

TRAINED = (*TINY, "--updates", "4", "--validate-every", "2", "--cache", "cache")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.delenv("COLUMNS", raising=False)
    write_corpus(tmp_path / "songs", random_pieces(5))
    write_corpus(tmp_path / "empty", {})
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").write_text("")
    (tmp_path / "noise.ckpt").write_bytes(b"noise")


def improv(*arguments: str) -> int:
    return cli.main(list(arguments))


def test_a_folder_becomes_a_checkpoint_a_table_and_a_model_file(capfd: pytest.CaptureFixture[str]) -> None:
    require_training_extra()
    assert improv("train", "songs", "-o", "runs/mine", *TRAINED) == 0
    out, err = capfd.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0].split() == ["corpus", "split", "pieces", "notes", "hours"]
    assert lines[2].split() == ["songs", "train", "3", "211", "0.0"]
    assert [line.split(",")[1] for line in lines if line.startswith("Epoch")] == [" update 2", " update 4"]
    assert lines[-1] == "Best checkpoint: runs/mine/best.ckpt"

    evaluate = ("evaluate", "runs/mine/best.ckpt", "songs", "--cache", "cache", "-o", "figures.json")
    assert improv(*evaluate) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "Model: runs/mine/best.ckpt; test split; baselines learned from the train split of" in out
    assert "Model less bigram: +" in out
    (figures,) = json.loads(Path("figures.json").read_text())["corpora"]
    assert figures["corpus"] == "songs"

    assert improv("export", "runs/mine/best.ckpt", "-o", "mine.onnx", "--proof", "songs/03.mid") == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.startswith("mine.onnx: 0.1 MB. Over 79 notes of 03.mid no logit of ONNX Runtime differs")
    assert Model.load(Path("mine.onnx")).metadata["trained"]["updates"] == 4


def test_a_run_is_resumed_by_its_own_plan(capfd: pytest.CaptureFixture[str]) -> None:
    require_training_extra()
    from improv_training.engine.checkpoints import load_checkpoint

    assert improv("train", "songs", "-o", "run", *TRAINED) == 0
    capfd.readouterr()
    again = ("train", "songs", "-o", "run", "--cache", "cache")
    assert improv(*again) == 2
    assert capfd.readouterr().err == (
        "run holds a training run already; go on with --resume, or name another folder.\n"
    )
    assert improv(*again, "--resume") == 2
    assert capfd.readouterr().err.startswith(
        "run is finished (4 updates, 0.00 h); to go on, name a later end"
    )
    assert improv(*again, "--resume", "--updates", "9", "--hidden", "64") == 2
    assert capfd.readouterr().err.startswith("run trains a network of other sizes, which cannot change")
    assert improv(*again, "--resume", "--updates", "9", "--hidden", "16") == 0
    checkpoint = load_checkpoint(Path("run/last.ckpt"))
    assert checkpoint.updates == 9
    assert (checkpoint.plan.lanes, checkpoint.plan.shape.hidden) == (2, 16)


def test_baselines_learn_from_the_folders_that_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    require_training_extra()
    from tiny_corpora import make_network, write_checkpoint

    write_checkpoint(Path("a.ckpt"), make_network())
    write_corpus(Path("scales"), {f"{i}.mid": scale(40) for i in range(9)})
    kept, sums = ("--keep-twins", "--cache", "cache", "-o", "f.json"), []
    for learned in ((), ("--baselines-from", "songs", "--baselines-from", "scales")):
        arguments = ("evaluate", "a.ckpt", "songs", "scales", *kept, *learned)
        assert improv(*arguments) == 0
        songs, scales = json.loads(Path("f.json").read_text())["corpora"]
        sums.append([one["nats_per_note"]["bigram"]["sum"] for one in (songs, scales)])
    out = capfd.readouterr().out
    assert "learned from the train split of each corpus by itself." in out
    assert "learned from the train split of songs, scales." in out
    assert "on average over 2 corpora; nearest on " in out
    assert sums[0] != sums[1]


def test_a_test_piece_that_is_in_training_as_well_is_left_out_unless_it_is_asked_for(
    capfd: pytest.CaptureFixture[str],
) -> None:
    require_training_extra()
    from tiny_corpora import make_network, write_checkpoint

    write_checkpoint(Path("a.ckpt"), make_network())
    pieces = {f"{i}.mid": random_performance(200, seed=i) for i in range(4)}
    write_corpus(Path("takes"), {**pieces, "copy.mid": pieces["1.mid"]})
    places = {"0.mid": "test", "copy.mid": "test", "1.mid": "train", "2.mid": "train", "3.mid": "train"}
    Path("splits.json").write_text(json.dumps(places))
    arguments = ("evaluate", "a.ckpt", "takes", "--splits", "splits.json", "--cache", "cache", "-o", "f.json")
    assert improv(*arguments) == 0
    assert (
        "Left out: 1 piece of the test split of takes, of which training has the same performance in takes; "
        "--keep-twins keeps them."
    ) in capfd.readouterr().out
    assert json.loads(Path("f.json").read_text())["corpora"][0]["pieces"] == 1
    assert improv(*arguments, "--keep-twins") == 0
    assert "Left out" not in capfd.readouterr().out
    assert json.loads(Path("f.json").read_text())["corpora"][0]["pieces"] == 2


def test_a_corpus_comes_as_often_as_the_mix_says_unless_it_is_repeated_otherwise(
    capfd: pytest.CaptureFixture[str],
) -> None:
    require_training_extra()
    Path("mine.toml").write_text('[songs]\nstyle = "pop"\nbeats = "ticks"\nrepeat = 3\n')
    epochs = []
    mixed = ("--mix", "mine.toml")
    for run, more in enumerate(((), mixed, (*mixed, "--repeat", "songs=1"))):
        ends = ("--updates", "16", "--validate-every", "16", "--cache", "cache")
        assert improv("train", "songs", "-o", f"run{run}", *TINY, *ends, *more) == 0
        (line,) = [line for line in capfd.readouterr().out.splitlines() if line.startswith("Epoch")]
        epochs.append(line.split(",")[0])
    assert epochs == ["Epoch 3", "Epoch 1", "Epoch 3"]
    for run, (styles, beats) in enumerate((((), False), (("pop",), True))):
        model = f"{run}.onnx"
        assert improv("export", f"run{run}/last.ckpt", "-o", model, "--proof", "songs/01.mid") == 0
        assert (Model.load(Path(model)).styles, Model.load(Path(model)).beats) == (styles, beats)


def test_an_existing_model_is_trained_further_at_its_own_sizes(capfd: pytest.CaptureFixture[str]) -> None:
    require_training_extra()
    from improv_training.engine.checkpoints import load_checkpoint

    assert improv("train", "songs", "-o", "first", *TRAINED) == 0
    assert improv("export", "first/best.ckpt", "-o", "first.onnx", "--proof", "songs/01.mid") == 0
    small = ("export", "first/best.ckpt", "-o", "small.onnx", "--int8", "--proof", "songs/01.mid")
    assert improv(*small) == 0
    further = ("--updates", "2", "--lanes", "2", "--chunk", "16", "--cache", "cache")
    capfd.readouterr()
    for model in ("first/best.ckpt", "first.onnx", "small.onnx"):
        assert improv("train", "songs", "-o", f"{model}-run", "--from", model, *further) == 0
        plan = load_checkpoint(Path(f"{model}-run/last.ckpt")).plan
        assert (plan.shape.hidden, plan.shape.layers, plan.rate) == (16, 1, 3e-4)
        out, err = capfd.readouterr()
        assert err == ""
        lines = out.splitlines()
        said = "The model is in int8: training goes on from weights rounded to 8 bits."
        assert lines.count(said) == (model == "small.onnx")
    assert improv("train", "songs", "-o", "other", "--from", "first.onnx", "--hidden", "32", *further) == 2
    assert capfd.readouterr().err.startswith("The model is a network of other sizes, which cannot change")


def test_a_model_of_canonical_notes_is_remembered_and_evaluated_as_one(
    capfd: pytest.CaptureFixture[str],
) -> None:
    require_training_extra()
    from improv_training.engine.checkpoints import load_checkpoint

    assert improv("train", "songs", "-o", "run", "--canonical", *TRAINED) == 0
    plan = load_checkpoint(Path("run/best.ckpt")).plan
    assert (plan.canonical, plan.augmentation.shuffle) == (True, False)
    assert improv("export", "run/best.ckpt", "-o", "mine.onnx", "--proof", "songs/03.mid") == 0
    assert Model.load(Path("mine.onnx")).metadata["canonical"] is True
    evaluate = ("evaluate", "mine.onnx", "songs", "--cache", "cache", "-o", "figures.json")
    pedal = {}
    for option in ((), ("--canonical",), ("--as-played",)):
        assert improv(*evaluate, *option) == 0
        (figures,) = json.loads(Path("figures.json").read_text())["corpora"]
        pedal[option] = figures["nats_per_note"]["unigram"]["pedal"]
    assert pedal[()] == pedal["--canonical",] < 0.1 < pedal["--as-played",]
    assert len(list(Path("cache").glob("songs-*.npy"))) == 2
    further = ("--updates", "2", "--validate-every", "1", "--cache", "cache")
    assert improv("train", "songs", "-o", "again", "--from", "mine.onnx", *further) == 0
    assert load_checkpoint(Path("again/last.ckpt")).plan.canonical


def test_a_run_on_notes_as_played_is_not_gone_on_with_on_canonical_ones(
    capfd: pytest.CaptureFixture[str],
) -> None:
    require_training_extra()
    assert improv("train", "songs", "-o", "run", *TRAINED) == 0
    capfd.readouterr()
    assert improv("train", "songs", "-o", "run", "--resume", "--canonical", "--updates", "9") == 2
    assert capfd.readouterr().err == ("run is trained on notes as they were played: leave out --canonical.\n")


def test_presets_are_listed_with_what_they_take_from_the_player(capfd: pytest.CaptureFixture[str]) -> None:
    assert improv("presets") == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[2].startswith("piano ")
    assert any(
        line.startswith("symbols ") and "timing, note lengths, loudness, pedal" in line for line in lines
    )


def test_encoded_corpora_are_kept_in_the_users_cache(tmp_path: Path) -> None:
    require_training_extra()
    assert improv("train", "songs", "-o", "run", *TRAINED[:-2]) == 0
    (cached,) = (tmp_path / "home").rglob("songs-*.npy")
    assert cached.parent.name == "corpora"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train songs -o run --hours 1 --updates 3", "Give either --hours or --updates, not both."),
        ("train songs -o run --resume", "run holds no last.ckpt to go on from; leave out --resume."),
        ("train songs -o taken/run", "The folder taken/run cannot be made (Not a directory); name another."),
        ("train nowhere -o run", "nowhere is not a folder; name a folder of MIDI files or an archive"),
        ("train songs -o run --preset flute", "There is no preset 'flute'; there are piano, frames,"),
        ("train songs -o run --tracks drums", "--tracks is one of piano, melody, all, not 'drums'."),
        ("train songs -o run --from gone.onnx", "There is no model file gone.onnx."),
        (
            "train songs -o run --from noise.ckpt",
            "noise.ckpt is damaged, or not a checkpoint of improv train.",
        ),
        (
            "train songs -o run --from default --preset piano",
            "A model that is trained further keeps its preset: leave out --preset.",
        ),
        ("train empty -o run", "empty holds no .mid or .midi files."),
        ("train songs -o run --cache taken", "The folder taken for encoded corpora cannot be written"),
        ("train songs -o run --repeat song=2", "--repeat song=2: write NAME=TIMES with one of songs."),
        ("train songs -o run --repeat songs=x", "--repeat songs=x: write NAME=TIMES with one of songs."),
        ("train songs -o run --mix loud", "There is no mix 'loud'; there is default, or name a .toml file."),
        ("train songs -o run --mix taken.toml", "taken.toml cannot be read (No such file or directory)."),
        ("evaluate noise.ckpt songs", "noise.ckpt is damaged, or not a checkpoint of improv train."),
        ("evaluate gone.ckpt songs", "There is no checkpoint gone.ckpt."),
        ("evaluate gone.onnx songs", "There is no model file gone.onnx."),
        ("evaluate a.ckpt songs --split train", "--split must be validation or test, not 'train'."),
        ("evaluate a.ckpt songs -o no/f.json", "no/f.json cannot be written: there is no folder no."),
        ("export noise.ckpt -o a.onnx --proof songs/01.mid", "noise.ckpt is damaged, or not a checkpoint"),
        ("export noise.ckpt -o a.bin --proof songs/01.mid", "A model file's name ends in .onnx; a.bin does"),
        (
            "export noise.ckpt -o no/a.onnx --proof a.mid",
            "no/a.onnx cannot be written: there is no folder no.",
        ),
        ("export noise.ckpt -o a.onnx --proof gone.mid", "gone.mid does not exist."),
        ("export noise.ckpt -o a.onnx --proof songs/01.mid --about taken", "taken is not a readable JSON"),
    ],
)
def test_bad_input_gets_one_sentence(arguments: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    require_training_extra()
    assert improv(*arguments.split()) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_too_few_pieces_for_a_validation_are_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    require_training_extra()
    write_corpus(Path("one"), {"a.mid": random_performance()})
    assert improv("train", "one", "-o", "run", *TRAINED) == 2
    assert capfd.readouterr().err == (
        "There is no piece in the validation split: three MIDI files are the least, or name others with "
        "--splits.\n"
    )


@pytest.mark.parametrize(
    "arguments",
    ["train songs -o run", "evaluate a.ckpt songs", "export a.ckpt -o a.onnx --proof songs/01.mid"],
)
def test_without_torch_each_command_names_the_extra_to_install(arguments: str) -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from improv_daemon import cli; sys.exit(cli.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-W", "error", "-c", script, *arguments.split()]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.stderr == (
        f"improv {arguments.split()[0]} needs the training extra, which is not installed: "
        "pip install 'improv-midi[train]' (in a checkout: pip install -e '.[train]').\n"
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert not Path("run").exists()

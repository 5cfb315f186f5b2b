"""A run in two sittings is the run in one, to the bit; a state file holds the averaged network.

python -m training.resume_test   Synthetic audio, the smallest batch, a CPU. Prints one line per check; fails with an assertion.
"""
import contextlib
import io
import os
import sys
import tempfile
import numpy as np
import torch
from .network import from_checkpoint
from .state import averaged, load
from .train import Sitting, arguments

STEPS = 3


def make_bank(folder, seconds=30):
    """So much of each kind."""
    random = np.random.default_rng(1)
    for kind in ("speech", "noise"):
        np.save(f"{folder}/{kind}.npy", (3000 * random.standard_normal(seconds * 16000)).astype(np.int16))
    return folder


def sitting(folder, *configs, seconds=1, memory=0.3):
    sys.argv = ["train", "--config", *configs, "--bank", folder, "--state", folder + "/{config}.pt", "--batch", "2", "--seconds", str(seconds),
                "--device", "cpu", "--steps", str(2 * STEPS), "--memory", str(memory)]
    run = Sitting(arguments())
    for trainer in run.trainers:
        trainer.begin()
    run.refill()
    return run


def advance(run):
    for _ in range(STEPS):
        run.advance(run.whole_step, 0)


def same(a, b):
    assert a.step == b.step
    for x, y in zip([*a.flats, *a.ema], [*b.flats, *b.ema]):
        assert torch.equal(x, y), (x - y).abs().max()


def two_sittings_are_one(*configs):
    with tempfile.TemporaryDirectory() as folder:
        whole = sitting(make_bank(folder), *configs)
        advance(whole)
        whole.save()
        advance(whole)
        resumed = sitting(folder, *configs)
        advance(resumed)
        for a, b in zip(whole.trainers, resumed.trainers):
            assert a.step == 2 * STEPS
            same(a, b)


def test_two_sittings_are_one():
    two_sittings_are_one("lite")


def test_two_sittings_of_a_sensor_are_one():
    two_sittings_are_one("nano")


def test_two_sittings_side_by_side_are_one():
    two_sittings_are_one("nano", "lite")


def test_networks_side_by_side_learn_as_one_alone():
    with tempfile.TemporaryDirectory() as folder:
        alone, both = sitting(make_bank(folder), "lite"), sitting(folder, "lite", "base")
        for run in (alone, both):
            torch.manual_seed(2)
            run.refill()
            advance(run)
        same(alone.trainers[0], both.trainers[0])
        assert both.trainers[1].step == STEPS


def test_warm_takes_a_checkpoint_or_a_state_file():
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as elsewhere:
        run, again = (sitting(make_bank(f), "lite", seconds=3, memory=1.0).trainers[0] for f in (folder, elsewhere))
        x = torch.randn(1, 8192)
        run.warm("models/lite.safetensors")
        assert torch.equal(run.network(x), from_checkpoint("models/lite.safetensors")(x))
        for e, f in zip(run.ema, run.flats):
            assert torch.equal(e, f)
        run.save()
        again.warm(run.path)
        same(again, run)


def test_a_state_file_holds_the_averaged_network():
    with tempfile.TemporaryDirectory() as folder:
        run = sitting(make_bank(folder), "lite")
        advance(run)
        run.save()
        network = averaged(load(f"{folder}/lite.pt"))
        assert sum(p.numel() for p in network.parameters() if p.requires_grad) == sum(e.numel() for e in run.trainers[0].ema)
        assert torch.isfinite(network(torch.randn(1, 4096))).all()


def test_a_run_that_has_diverged_is_not_saved():
    with tempfile.TemporaryDirectory() as folder:
        run = sitting(make_bank(folder), "lite")
        for p in run.trainers[0].network.parameters():
            p.data.mul_(1e20)                           # a loss of NaN, gradients that are all taken for zero
        assert refused(run.train).startswith(f"lite, step {2 * STEPS}: mean gradient norm 0, expected between 0 and 10000: the run has diverged")
        assert not os.path.exists(f"{folder}/lite.pt")


def refused(work, *arguments):
    """The line that a program ends with."""
    try:
        work(*arguments)
    except SystemExit as end:
        return str(end)
    raise AssertionError(f"{arguments} were taken")


def test_a_bank_too_short_or_not_there_is_refused_by_name():
    with tempfile.TemporaryDirectory() as folder:
        assert refused(sitting, folder, "lite") == f"{folder}/speech.npy: No such file or directory; python -m training.banks makes it from shards"
        assert "speech.npy: 48000 samples, expected 63497 or more" in refused(sitting, make_bank(folder, seconds=3), "lite")


def test_options_that_cannot_be_are_refused():
    wrong = [("--part", "0.5", "1"), ("--part", "0.5", "0.2", "--steps", "0"), ("--part", "0", "2", "--steps", "0")]
    if not torch.cuda.is_available():
        wrong.append(("--device", "cuda"))
    if not hasattr(torch, "compile"):
        wrong.append(("--compile",))
    for words in wrong:
        sys.argv = ["train", "--config", "lite", *words]
        with contextlib.redirect_stderr(io.StringIO()) as said:
            refused(arguments)
        assert f"error: {words[0]}: " in said.getvalue(), words


def test_what_is_no_state_file_is_refused_by_name():
    with tempfile.TemporaryDirectory() as folder:
        torch.save({"weights": {}}, f"{folder}/weights.pt")
        for path, said in (("nowhere.pt", "No such file or directory"), ("models/lite.safetensors", "damaged or of another kind"),
                           (f"{folder}/weights.pt", "damaged or of another kind")):
            assert refused(load, path) == f"{path}: {said}; expected a state file of training.train"
        lite = sitting(make_bank(folder), "lite").trainers[0]
        assert refused(lite.warm, "models/base.safetensors").startswith("models/base.safetensors: block3_norm.bias: not in this network;")


if __name__ == "__main__":
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)

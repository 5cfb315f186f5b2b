"""A run in two sittings is the run in one, to the bit; a state file holds the averaged network.

python -m training.resume_test   Synthetic audio, the smallest batch, a CPU. Prints one line per check; fails with an assertion.
"""
import os
import sys
import tempfile
import numpy as np
import torch
from .state import averaged, load
from .train import Trainer, arguments

STEPS = 3


def make_bank(folder):
    """Half a minute of each kind: enough to mix from."""
    random = np.random.default_rng(1)
    for kind in ("speech", "noise"):
        np.save(f"{folder}/{kind}.npy", (3000 * random.standard_normal(30 * 16000)).astype(np.int16))
    return folder


def trainer(bank, config="lite"):
    sys.argv = ["train", "--config", config, "--bank", bank, "--batch", "2", "--seconds", "1", "--device", "cpu", "--steps", str(2 * STEPS)]
    return Trainer(arguments())


def advance(run):
    for name in ("total", "spectral", "sisdr", "loudness", "unclear", "norm"):
        run.totals[name] = torch.zeros(())
    for _ in range(STEPS):
        run.set_rates(run.step / run.a.steps)
        run.whole_step()
        run.step += 1


def test_two_sittings_are_one(config="lite"):
    with tempfile.TemporaryDirectory() as folder:
        bank, path = make_bank(folder), os.path.join(folder, "state.pt")
        whole = trainer(bank, config)
        advance(whole)
        whole.save(path)
        advance(whole)
        resumed = trainer(bank, config)
        resumed.load(path)
        resumed.refill()
        advance(resumed)
        assert resumed.step == whole.step == 2 * STEPS
        for a, b in zip([*whole.flats, *whole.ema], [*resumed.flats, *resumed.ema]):
            assert torch.equal(a, b), (a - b).abs().max()


def test_two_sittings_of_a_sensor_are_one():
    test_two_sittings_are_one("nano")


def test_a_state_file_holds_the_averaged_network():
    with tempfile.TemporaryDirectory() as folder:
        bank, path = make_bank(folder), os.path.join(folder, "state.pt")
        run = trainer(bank)
        advance(run)
        run.save(path)
        network = averaged(load(path))
        assert sum(p.numel() for p in network.parameters() if p.requires_grad) == sum(e.numel() for e in run.ema)
        assert torch.isfinite(network(torch.randn(1, 4096))).all()


if __name__ == "__main__":
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)

"""The network that is trained is the one that is specified: every golden checkpoint, over whole sequences, against the reference.

python -m training.network_test   Needs tests/golden. Prints one line per check; fails with an assertion.
"""
import numpy as np
import torch
from . import network, reference
from .golden import FOLDER
from .golden_signal import samples
from .network import Network, from_checkpoint
from .safetensors_io import read
from .shapes import spectral

HOPS, LOST = 20, [3, 4, 11]
TOLERANCE = 1e-3        # float32 against float64, relative to the largest sample


def test_every_golden_network_equals_the_reference():
    paths = sorted(FOLDER.glob("*.safetensors"))
    assert len(paths) > 60, len(paths)
    for path in paths:
        tensors, config = read(path)
        x, flags = samples(HOPS * config["input"]["hop"], 7, 0.3), np.zeros(HOPS)
        flags[LOST] = 1
        expected = reference.run(tensors, config, x, flags)
        with torch.no_grad():
            found = from_checkpoint(str(path))(*(torch.tensor(v, dtype=torch.float32)[None] for v in (x, flags)))[0].numpy()
        error = np.abs(found - expected).max() / np.abs(expected).max()
        assert error < TOLERANCE, f"{path.stem}: {error:.2g}"


def test_an_ssm_of_any_order_starts():
    for order in (1, 3, 10, 24, 66):
        network = Network(spectral("any", orders=(order,)))
        assert [network.get("block0_ssm", name).shape[0] for name in ("log_dt", "A", "B")] == 3 * [order], order


def test_both_know_the_same_ops():
    assert network.OPS.keys() == reference.OPS.keys()


if __name__ == "__main__":
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)

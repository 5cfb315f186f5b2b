"""No state forgets more slowly than the limit allows, at the start or after a step; what is below the limit stays as it was.

python -m training.memory_test   Synthetic audio, the smallest batch, a CPU. Prints one line per check; fails with an assertion.
"""
import tempfile
import torch
import torch.nn.functional as F
from .network import Network
from .resume_test import advance, make_bank, sitting
from .shapes import SHIPPED
from .state import averaged, load

EPS = 1e-4          # relative, float32


def time_constants(network):
    """Seconds, one tensor per state-space layer."""
    steps = network.config["input"]["rate"] / network.config["input"]["hop"]
    layers = [node["name"] for node in network.config["graph"] if node["op"] == "ssm"]
    return [1 / (steps * network.get(n, "log_dt").exp() * F.softplus(network.get(n, "A")[:, 0])).detach() for n in layers]


def test_only_poles_beyond_the_limit_move():
    network = Network(SHIPPED["lite"](), seed=1)
    limit = time_constants(network)[0].median().item()
    before = {k: v.detach().clone() for k, v in network.tensors.items()}
    network.limit_memory(limit)
    for node in ("block0_ssm", "block1_ssm"):
        old, new = before[f"{node}/A"], network.get(node, "A")
        moved = (old != new).any(1)
        assert moved.any() and not moved.all(), node
        assert torch.equal(old[:, 1], new[:, 1]), node
    assert max(t.max().item() for t in time_constants(network)) <= limit * (1 + EPS)
    assert all(torch.equal(before[k], v) for k, v in network.tensors.items() if not k.endswith("/A"))


def test_training_stays_within_the_limit():
    with tempfile.TemporaryDirectory() as folder:
        run = sitting(make_bank(folder), "lite", memory=0.05)
        network = run.trainers[0].network
        start = time_constants(network)
        advance(run)
        assert any((a != b).any() for a, b in zip(start, time_constants(network)))
        assert max(t.max().item() for t in time_constants(network)) <= 0.05 * (1 + EPS)


def test_the_averaged_network_stays_within_the_limit():
    with tempfile.TemporaryDirectory() as folder:
        run = sitting(make_bank(folder), "lite", memory=0.05)
        trainer = run.trainers[0]
        trainer.ema[1] -= 1.0       # of the poles: slower than any was
        run.save()
        slowest = max(t.max().item() for t in time_constants(averaged(load(trainer.path))))
        assert 0.05 * (1 - EPS) < slowest <= 0.05 * (1 + EPS)


if __name__ == "__main__":
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)

"""A grown network is the smaller one to begin with.   python -m training.grow_test

Seeded noise that comes and goes; the small network has random weights. Prints one line per check; fails with an assertion.
"""
import torch
from .grow import grow, places
from .network import Network
from .shapes import spectral

SMALL = {"first": 8, "channels": 16, "orders": (8, 4), "taps": 2}


def built(**changes):
    return Network(spectral("grown", **{**SMALL, **changes}), seed=2)


def small():
    """With unlike weights everywhere, norms and biases too, and outputs that its blocks do change."""
    network = Network(spectral("small", **SMALL), seed=1)
    torch.manual_seed(3)
    with torch.no_grad():
        for key, p in network.named_parameters():
            if not key.endswith(("window", "log_dt", "A")):
                p.add_(0.2 * torch.randn_like(p))
    return network


def snr_db(**changes):
    """How close a network with these changes starts to the small one."""
    network, other = built(**changes), small()
    grow(network, other)
    torch.manual_seed(4)
    x = 0.1 * torch.randn(2, 16000) * torch.linspace(-1, 1, 16000).clamp(min=0)
    with torch.no_grad():
        y, z = other(x), network(x)
    error = (y - z).square().sum()
    return float(10 * torch.log10(y.square().sum() / error)) if error > 0 else float("inf")


def test_blocks_change_nothing():
    assert snr_db(orders=(8, 4, 8)) == float("inf")
    assert snr_db(first_order=4) == float("inf")


def test_taps_and_states_change_roundings_alone():
    assert snr_db(taps=3) > 100
    assert snr_db(orders=(16, 12), last_order=12) > 100


def test_channels_change_little():
    for changes in ({"channels": 24}, {"first": 12}, {"channels": 24, "first": 12, "orders": (16, 4, 8), "taps": 3}):
        assert snr_db(**changes) > 10, changes


def test_channels_stay_in_their_group():
    assert places(8, 12).tolist() == [0, 1, 3, 4, 6, 7, 9, 10]
    assert places(16, 24, groups=8).tolist() == [3 * g + i for g in range(8) for i in range(2)]


def test_what_does_not_fit_is_named():
    try:
        grow(small(), built(channels=24))
    except ValueError as fault:
        assert str(fault).startswith("widen.weight: (24, 8) does not fit into (16, 8);"), fault
    else:
        assert False, "a larger network was taken"
    try:
        grow(small(), built(orders=(8, 4, 8)))
    except ValueError as fault:
        assert str(fault).startswith("block2_norm.bias: not in this network;"), fault
    else:
        assert False, "a network of more blocks was taken"


def test_what_is_new_learns():
    network = built(channels=24, first=12, orders=(16, 4, 8), taps=3)
    grow(network, small())
    torch.manual_seed(5)
    network(0.1 * torch.randn(1, 8000)).square().sum().backward()
    for key, p in network.named_parameters():
        if key.endswith("_ssm/C"):
            assert (p.grad[:len(p) // 2] != 0).all(), key     # the gates follow as soon as what they let through is not zero
        elif key.endswith(("widen/weight", "_channels/weight", "decode/weight", "encode/weight")):
            assert (p.grad != 0).all(), key


if __name__ == "__main__":
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)

"""Start a network from a smaller one of the same kind: more channels, states, taps or blocks.

What is new is silent at first: it hears what was there, and its own outputs have a weight of zero, so the grown network starts close to the
smaller one: to the bit where only blocks are new, to rounding with new states and taps; more channels shift the mean that a norm takes away.
"""
import math
import torch

GROUPS = 4      # of channels in `mix`; also the bins of a patch in `decode`: new channels and taps are spread over all of them
HEARD = 0.1     # of their usual size: weights by which what was there hears new channels


def places(old, new, groups=GROUPS):
    """Where `old` rows are among `new` ones, when every group grows alike: (old,) indices."""
    if old % groups or new % groups:
        return torch.arange(old)
    return (torch.arange(groups)[:, None] * (new // groups) + torch.arange(old // groups)).flatten()


def fits(old, new):
    return len(old) == len(new) and all(n <= m for n, m in zip(old, new))


def grown(op, name, fresh, old):
    """The tensor `name` of a node with this `op`, shaped like `fresh`, with all of `old` in it."""
    if fresh.shape == old.shape:
        return old
    groups = 2 * GROUPS if (op, name) == ("ssm", "C") else GROUPS           # its rows are the two halves of a GLU
    where = [torch.arange(n) if n == m else places(n, m, groups if axis == 0 else GROUPS) for axis, (n, m) in enumerate(zip(old.shape, fresh.shape))]
    if op in ("linear", "bandconv") and name == "weight":
        out = torch.zeros_like(fresh)
        out[where[0]] = HEARD * fresh[where[0]]
    elif (op, name) == ("ssm", "B"):
        out = fresh.clone()
        out[where[0]] *= HEARD
    elif (op, name) == ("ssm", "C"):
        out = torch.zeros_like(fresh)
    else:
        out = fresh.clone()
    if op == "norm" and name == "weight":                                   # new channels are zero and make the variance smaller
        old = old * math.sqrt(len(old) / len(fresh))
    out[torch.meshgrid(*where, indexing="ij")] = old
    return out


def grow(network, other):
    """Gives `network` what `other` knows; its blocks that `other` lacks start silent. ValueError: `other` is larger somewhere."""
    ops = {node["name"]: node["op"] for node in network.config["graph"]}
    given = dict(other.named_parameters())
    if extra := sorted(given.keys() - dict(network.named_parameters()).keys()):
        raise ValueError(f"{extra[0].split('.', 1)[1].replace('/', '.')}: not in this network; start from one that is nowhere larger")
    with torch.no_grad():
        for key, p in network.named_parameters():
            node, name = key.split(".", 1)[1].split("/")
            if key in given:
                fresh, old = p.detach().cpu(), given[key].detach().cpu()
                if not fits(old.shape, fresh.shape):
                    raise ValueError(f"{node}.{name}: {tuple(old.shape)} does not fit into {tuple(fresh.shape)}; start from a network that is nowhere larger")
                p.copy_(grown(ops[node], name, fresh, old))
            elif node.endswith("_ssm") and name == "C" or node.endswith("_channels"):
                p.zero_()

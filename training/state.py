"""What a training state file holds, and the flat tensors that training works on."""
import math
import torch
from torch import nn
from .network import Network

SLOW = ("log_dt", "A")           # poles move at a fraction of the rate


def load(path):
    """What training.train has saved. A file that is something else ends the program with one line."""
    try:
        state = torch.load(path, map_location="cpu", **({} if torch.__version__ < "2" else {"weights_only": False}))
        if not {"config", "weights", "ema", "arguments"} <= state.keys():
            raise ValueError
    except Exception as fault:      # an unpickler raises whatever it comes upon
        raise SystemExit(f"{path}: {getattr(fault, 'strerror', None) or 'damaged or of another kind'}; expected a state file of training.train") from None
    return state


def by_rate(network):
    """Trainable parameters in two lists: fast ones and poles."""
    named = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
    return [[p for n, p in named if (n.split("/")[-1] in SLOW) == slow] for slow in (False, True)]


def averaged(state):
    """The network with the EMA weights of a loaded state file.

    Means of decays and of step sizes, both within the limit of the run, can be beyond it together: hence once more."""
    network = Network(state["config"], tensors={key.replace("tensors.", "", 1): value for key, value in state["weights"].items()})
    with torch.no_grad():
        for parameters, ema in zip(by_rate(network), state["ema"]):
            flatten(parameters).copy_(ema)
    network.limit_memory(state["arguments"].get("memory", math.inf))
    return network.eval()


def flatten(parameters):
    """One leaf tensor that holds all of `parameters` as views, and likewise their gradients: few kernels per update."""
    flat = nn.Parameter(torch.cat([p.detach().reshape(-1) for p in parameters]))
    flat.grad = torch.zeros_like(flat)
    at = 0
    for p in parameters:
        p.data = flat.data[at:at + p.numel()].view_as(p)
        p.grad = flat.grad[at:at + p.numel()].view_as(p)
        at += p.numel()
    return flat

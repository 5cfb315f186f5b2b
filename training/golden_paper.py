"""Public aTENNuate weights (a PyTorch state dict, arXiv 2409.03377) as a checkpoint graph (quantize/CHECKPOINT.md).

In: path of the .pt. Out: float32 tensors and the configuration of the paper's network, all pre-convs centred.
Key names: see the end of CHECKPOINT.md. Stages of one channel have no pre-conv and no norm, so their indices shift.
"""
import torch
from .shapes import paper


def convert(path):
    state = {name: value.numpy() for name, value in torch.load(path, map_location="cpu").items()}
    tensors = {}
    levels = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("down_ssms"))
    for i in range(levels):
        tensors.update(block(state, f"down_ssms.{i}.0", f"down{i}"))
        # (c, d, r): the r steps of c channels lie in time order, channels fastest
        patch = state[f"down_ssms.{i}.1.weight"]
        tensors[f"down{i}_patch.weight"] = patch.transpose(1, 2, 0).reshape(patch.shape[1], -1)
        unpatch = state[f"up_ssms.{i}.0.weight"]
        tensors[f"up{i}_unpatch.weight"] = unpatch.transpose(2, 1, 0).reshape(-1, unpatch.shape[0])
        tensors.update(block(state, f"up_ssms.{i}.1", f"up{i}"))
    for i in range(2):
        tensors.update(block(state, f"hid_ssms.{i}", f"neck{i}"))
        tensors.update(block(state, f"last_ssms.{i}", f"last{i}"))
    used = sum(tensor.size for tensor in tensors.values())
    held = sum(value.size for value in state.values())
    if used != held:
        raise ValueError(f"{path}: {held} numbers of which {used} were mapped; the key names differ from the paper's")
    return tensors, paper("paper-full")


def block(state, prefix, name):
    first = f"{prefix}.0.weight" in state  # a pre-conv is there
    ssm = f"{prefix}.{1 if first else 0}"
    tensors = {f"{name}_ssm.{key}": state[f"{ssm}.{key}"] for key in ("log_dt", "A", "B", "C")}
    if first:
        tensors[f"{name}_pre.weight"] = state[f"{prefix}.0.weight"].transpose(2, 1, 0)  # (C, 1, 3) -> (3, 1, C)
        tensors[f"{name}_pre.bias"] = state[f"{prefix}.0.bias"]
        tensors[f"{name}_norm.weight"] = state[f"{prefix}.2.layer_norm.weight"]
        tensors[f"{name}_norm.bias"] = state[f"{prefix}.2.layer_norm.bias"]
    return tensors

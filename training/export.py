"""A state file's EMA weights as a checkpoint (quantize/CHECKPOINT.md).

python -m training.export STATE.pt OUT.safetensors [CARD.json]

Tensors are float16 where that keeps their meaning; poles and windows stay float32.
"""
import argparse
import json
import numpy as np
from .safetensors_io import write
from .state import averaged, load

EXACT = ("log_dt", "A", "window")


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("state_path", metavar="STATE.pt", help="state file of training.train")
    p.add_argument("out", metavar="OUT.safetensors", help="the checkpoint")
    p.add_argument("card_path", metavar="CARD.json", nargs="?", help="its model card (default: none but the training's own figures)")
    return p.parse_args()


def card(path):
    try:
        with open(path, encoding="utf8") as file:
            return {**json.load(file)}
    except (OSError, ValueError, TypeError) as fault:
        raise SystemExit(f"{path}: {getattr(fault, 'strerror', None) or fault}; expected a model card, a JSON object") from None


def main(state_path, out, card_path=None):
    state = load(state_path)
    network = averaged(state)
    tensors = {}
    for key, value in network.state_dict().items():
        node, name = key.replace("tensors.", "", 1).split("/")
        tensors[f"{node}.{name}"] = value.numpy().astype(np.float32 if name in EXACT else np.float16)
    config = dict(state["config"])
    config["card"] = card(card_path) if card_path else {}
    config["card"]["training"] = {"steps": state["step"], **{k: state["arguments"][k] for k in ("batch", "seconds", "memory", "rate", "seed", "loudness", "sisdr", "intelligibility") if k in state["arguments"]}}
    write(out, tensors, config)
    print(f"{out}: {sum(t.size for t in tensors.values())} numbers, step {state['step']}")


if __name__ == "__main__":
    main(**vars(arguments()))

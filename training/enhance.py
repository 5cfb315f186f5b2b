"""Run a trained state file over a folder of 16 kHz mono WAVs, whole files at once (for judging weights between sittings). A sensor's
network hears what the 4 kHz / 4-bit codec leaves of them.

python -m training.enhance STATE.pt IN_DIR OUT_DIR
"""
import argparse
import glob
import os
import numpy as np
import torch
from scipy.io import wavfile
from .codec import BLOCK, decimate, through
from .state import averaged, load
from .train import lag


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("state", metavar="STATE.pt", help="state file of training.train")
    p.add_argument("source", metavar="IN_DIR", help="folder of noisy WAVs")
    p.add_argument("target", metavar="OUT_DIR", help="folder for the clean ones, of the same names")
    return p.parse_args()


@torch.no_grad()
def enhanced(network, x):
    """What the network makes of samples at 16 kHz, aligned with them and as long."""
    skip, hop = lag(network), network.config["output"]["hop"]
    padded = torch.from_numpy(np.pad(x, (0, -len(x) % hop + -(-skip // hop) * hop)))[None]
    return network(*heard(network, padded))[0, skip:skip + len(x)].numpy()


def heard(network, x):
    """Of x (1, samples); where a sensor sends it, no hop is lost."""
    if network.config["input"]["rate"] == 16000:
        return (x,)
    received = through(decimate(x))
    return received, torch.zeros(1, received.shape[1] // BLOCK)


def samples(name):
    try:
        rate, x = wavfile.read(name)
    except ValueError as fault:
        raise SystemExit(f"{name}: {fault}") from None
    if rate != 16000 or x.ndim != 1 or x.dtype not in (np.int16, np.float32):
        raise SystemExit(f"{name}: {rate} Hz, {x.dtype} {x.shape}, expected 16000 Hz, one channel, 16 bit or float")
    return x.astype(np.float32) / (32768 if x.dtype == np.int16 else 1)


def main(state, source, target):
    network = averaged(load(state))
    names = sorted(glob.glob(f"{source}/*.wav"))
    if not names:
        raise SystemExit(f"{source}: no *.wav in it")
    os.makedirs(target, exist_ok=True)
    for name in names:
        y = enhanced(network, samples(name))
        wavfile.write(os.path.join(target, os.path.basename(name)), 16000, np.clip(np.rint(y * 32768), -32768, 32767).astype(np.int16))


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    main(**vars(arguments()))

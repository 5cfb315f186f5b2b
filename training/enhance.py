"""Run a trained state file over a folder of 16 kHz mono WAVs, whole files at once (for judging weights between sittings).

python -m training.enhance STATE.pt IN_DIR OUT_DIR
"""
import argparse
import glob
import os
import numpy as np
import torch
from scipy.io import wavfile
from .state import averaged, load
from .train import lag


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("state", metavar="STATE.pt", help="state file of training.train")
    p.add_argument("source", metavar="IN_DIR", help="folder of noisy WAVs")
    p.add_argument("target", metavar="OUT_DIR", help="folder for the clean ones, of the same names")
    return p.parse_args()


def main(state, source, target):
    network = averaged(load(state))
    skip, hop = lag(network), network.config["input"]["hop"]
    os.makedirs(target, exist_ok=True)
    for name in sorted(glob.glob(f"{source}/*.wav")):
        rate, x = wavfile.read(name)
        if rate != 16000:
            raise SystemExit(f"{name}: {rate} Hz, expected 16000")
        x = x.astype(np.float32) / (32768 if x.dtype == np.int16 else 1)
        padded = np.pad(x, (0, -len(x) % hop + -(-skip // hop) * hop))
        with torch.no_grad():
            y = network(torch.from_numpy(padded)[None])[0, skip:skip + len(x)].numpy()
        wavfile.write(os.path.join(target, os.path.basename(name)), 16000, np.clip(np.rint(y * 32768), -32768, 32767).astype(np.int16))


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    main(**vars(arguments()))

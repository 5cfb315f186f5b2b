"""Simulated room impulse responses by the image method (Allen & Berkley, JASA 1979): shoebox rooms, T60 0.15..0.8 s.

python -m training.rooms BANK [COUNT] [SEED] writes BANK/simulated.npy: (COUNT, 8000) float16 at 16 kHz, direct sound = 1.
"""
import argparse
import os
import numpy as np

RATE, SAMPLES, SOUND = 16000, 8000, 343.0


def response(random):
    size = random.uniform([3, 2.5, 2.3], [9, 7, 3.5])
    t60 = random.uniform(0.15, 0.8)
    volume, surface = size.prod(), 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    absorption = min(0.9, 0.161 * volume / (t60 * surface))          # Sabine
    reflection = np.sqrt(1 - absorption)
    microphone = random.uniform(0.3, size - 0.3)
    distance = random.uniform(0.2, 2.5)
    direction = random.normal(size=3)
    source = np.clip(microphone + distance * direction / np.linalg.norm(direction), 0.2, size - 0.2)
    reach = SAMPLES / RATE * SOUND
    counts = np.ceil(reach / (2 * size)).astype(int).clip(max=12)
    grids = np.meshgrid(*(np.arange(-c, c + 1) for c in counts), indexing="ij")
    n = np.stack([g.ravel() for g in grids], 1)                       # (images, 3)
    out = np.zeros(SAMPLES)
    for parity in np.ndindex(2, 2, 2):
        p = np.array(parity)
        image = (1 - 2 * p) * source + 2 * n * size
        bounces = np.abs(2 * n - p).sum(1)
        d = np.linalg.norm(image - microphone, axis=1)
        delay = d / SOUND * RATE
        gain = reflection ** bounces / np.maximum(d, 0.1)
        k = delay.astype(int)
        part = delay - k
        keep = k < SAMPLES - 1
        sign = 1 - 2 * (random.random(keep.sum()) < 0.5) * (bounces[keep] > 2)  # late reflections without sweeping echoes
        np.add.at(out, k[keep], sign * gain[keep] * (1 - part[keep]))
        np.add.at(out, k[keep] + 1, sign * gain[keep] * part[keep])
    first = np.argmax(np.abs(out) > 0.5 * np.abs(out).max())
    out = np.concatenate([out[max(0, first - 4):], np.zeros(SAMPLES)])[:SAMPLES]
    return out / np.abs(out).max()


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("bank", metavar="BANK", help="folder made by training.banks")
    p.add_argument("count", metavar="COUNT", nargs="?", type=int, default=192, help="of rooms (default %(default)s)")
    p.add_argument("seed", metavar="SEED", nargs="?", type=int, default=1, help="default %(default)s")
    return p.parse_args()


def main(bank, count=192, seed=1):
    os.makedirs(bank, exist_ok=True)
    random = np.random.default_rng(seed)
    np.save(f"{bank}/simulated.npy", np.stack([response(random) for _ in range(count)]).astype(np.float16))


if __name__ == "__main__":
    main(**vars(arguments()))

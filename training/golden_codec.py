"""Golden vectors of the sensor codec for tests/golden/codec.json: what codec.py and a textbook decimator say about the
golden signal (golden_signal.py), which every test draws anew. No sample lies so near a threshold that single precision
could decide otherwise: the generator refuses to write such a case.

    python3 -m training.golden_codec > tests/golden/codec.json

codec   blocks of 64 at 4 kHz, one level each (the last is silence): gain, nibbles (hexadecimal, low nibble first), decoded
        f32 of the first block; `linear`: the same with c(u) = u
packets int16 at 16 kHz -> low-pass (193 taps, Kaiser 5.65, 1850 Hz; every 4th result) -> codec -> packets of 36 bytes
"""
import argparse
import json
import math
import sys
import numpy as np
import scipy.signal
import torch
from . import codec, golden_signal

LEVELS = [1.0, 0.5, 0.11, 0.03, 0.004, 0.0005, 3e-5, 2.0, 0.0]
MARGIN = 2e-6  # relative; ten times the rounding of single precision
PCM_SAMPLES, PCM_OFFSET, PCM_LEVEL = 256 * 24, 3000, 1.2
TAPS, CUTOFF, BETA = 193, 1850, 5.65


def blocks_of_levels():
    x = golden_signal.signal(200 + 64 * len(LEVELS))[200:].reshape(-1, codec.BLOCK)
    return np.concatenate([block * level for block, level in zip(x, LEVELS)])


def linear(x, g):
    u = np.clip(x.reshape(-1, codec.BLOCK) * 2 ** (g / codec.GAIN_STEPS)[:, None], -1, 1)
    return np.clip(np.floor(8 * (1 + u)), 0, 15), u


def check_margin(x, g):
    """No peak near a step of the gain, no sample near a step of either law."""
    x = x.reshape(-1, codec.BLOCK)
    peak = np.maximum(np.abs(x).max(1), 1e-9)
    steps = -codec.GAIN_STEPS * np.log2(peak)
    near = np.abs(steps - np.round(steps)) < codec.GAIN_STEPS * MARGIN
    if np.any(near & (peak < 1)):
        sys.exit("a peak lies on a step of the gain: change the levels")
    u = np.clip(x * 2 ** (g / codec.GAIN_STEPS)[:, None], -1, 1)
    for c in (8 * np.log1p(codec.MU * np.abs(u)) / math.log1p(codec.MU), 8 * np.abs(u)):
        inner = (c > 0.5) & (c < 7.5)
        if np.any((np.abs(c - np.round(c)) < 8 * MARGIN) & inner):
            sys.exit("a sample lies on a threshold: change the levels")


def encode(x):
    results = []
    for kind in (torch.float64, torch.float32):
        g, q = codec.encode(torch.tensor(x, dtype=kind)[None])
        results.append((g[0].double().numpy(), q[0].double().numpy()))
    (g, q), (g32, q32) = results
    assert np.array_equal(g, g32) and np.array_equal(q, q32)
    check_margin(x, g)
    return g.astype(int), q.astype(int)


def pack(q):
    return [bytes(int(low) | int(high) << 4 for low, high in zip(row[::2], row[1::2])) for row in q]


def pcm():
    return np.round(golden_signal.signal(PCM_SAMPLES + PCM_OFFSET)[PCM_OFFSET:] * PCM_LEVEL * 32767).clip(-32768, 32767)


def packets():
    h = scipy.signal.firwin(TAPS, CUTOFF, window=("kaiser", BETA), fs=16000)
    y = np.convolve(pcm() / 32768, h)[: PCM_SAMPLES : 4]
    g, q = encode(y)
    return [bytes([0x10, gain, i & 255, i >> 8]) + row for i, (gain, row) in enumerate(zip(g, pack(q)))], h


def main():
    x = blocks_of_levels()
    g, q = encode(x)
    decoded = codec.decode(torch.tensor(g, dtype=torch.float64)[None], torch.tensor(q, dtype=torch.float64)[None])[0].numpy()
    sent, h = packets()
    json.dump({
        "levels": LEVELS,
        "codec": {"offset": 200, "gains": g.tolist(), "nibbles": [row.hex() for row in pack(q)],
                  "decoded": [float(np.float32(v)) for v in decoded[: codec.BLOCK]],
                  "decodedSum": float(np.abs(decoded).sum())},
        "linear": {"nibbles": [row.hex() for row in pack(linear(x, g)[0])]},
        "packets": {"samples": PCM_SAMPLES, "offset": PCM_OFFSET, "level": PCM_LEVEL,
                    "taps": [float(v) for v in h[: TAPS // 2 + 1 : 12]], "bytes": [row.hex() for row in sent]},
    }, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    main()

"""The test signal of the golden vectors: noise with pauses and voiced bursts, from a formula that any language repeats
bit for bit, because it only multiplies, adds and subtracts doubles, in a fixed order. tests/golden/signal.ts is its twin.

Out: float64 samples, peak below 1. The pitch is per sample, so a lower rate hears the same numbers deeper.
"""
import functools
import numpy as np

# s[t+1] = K s[t] - s[t-1] is a sine of angle arccos(K / 2) per sample; (K, s[1], amplitude)
TONES = ((1.997, 0.0547, 0.35), (1.925, 0.2713, 0.25), (1.24, 0.7846, 0.15))  # 139, 700, 2300 Hz at 16 kHz
SYLLABLE = (1.9999995543, 0.0006676)  # 1.7 Hz at 16 kHz; only its positive half is heard
NOISE = 0.2
SEED = 20240903


@functools.lru_cache(maxsize=4)
def signal(count):
    out = np.empty(count)
    random = SEED
    (k0, a, g0), (k1, b, g1), (k2, c, g2) = TONES
    k3, d = SYLLABLE
    a0 = b0 = c0 = d0 = 0.0
    for t in range(count):
        random = (1664525 * random + 1013904223) & 0xFFFFFFFF
        noise = (random >> 8) / 8388608 - 1
        voice = g0 * a0 + g1 * b0 + g2 * c0
        out[t] = (voice * d0 if d0 > 0 else 0.0) + NOISE * noise
        a0, a = a, k0 * a - a0
        b0, b = b, k1 * b - b0
        c0, c = c, k2 * c - c0
        d0, d = d, k3 * d - d0
    return out


def samples(count, offset, level):
    """What a case feeds: float32 values, as float64."""
    return (signal(count + offset)[offset:] * level).astype(np.float32).astype(np.float64)

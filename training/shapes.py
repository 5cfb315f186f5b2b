"""Builders of network graphs (quantize/CHECKPOINT.md): the spectral state-space hourglass that ships and the paper's network.

Each builder returns the JSON-able configuration of a checkpoint. Tensors are made from it by `network.Network`.
"""
import math


class Graph:
    """A straight-line graph under construction; `add` returns the node's name."""

    def __init__(self, name, rate, hop, out_rate=None, out_hop=None):
        self.config = {
            "version": 1, "name": name,
            "input": {"rate": rate, "hop": hop},
            "output": {"rate": out_rate or rate, "hop": out_hop or hop},
            "graph": [],
        }

    def add(self, name, op, *inputs, **attributes):
        self.config["graph"].append({"name": name, "op": op, "in": list(inputs), **attributes})
        return name


def spectral(name, *, hop=128, window=512, synthesis=256, first=24, channels=48, bands=24, orders=(64, 64, 64),
             first_order=0, last_order=8, groups=4, taps=1, lookahead=0, rate=16000):
    """Hourglass over frequency with diagonal SSMs over time at both of its levels (16 kHz in and out).

    spectrum (257 bins) -> patches of 4 bins -> `first` channels on 64 bands [SSM, if `first_order`] -> `channels` on `bands` bands
    [an SSM and band mixing for each of `orders`] -> 64 bands + skip [SSM] -> complex filter of `taps` frames per bin.
    An output that is the input times a filter is proportional to the input's level, and starts as the identity.
    """
    g = Graph(name, rate, hop)
    bins = window // 2 + 1
    wide = (bins - 1) // 4
    frame = g.add("frame", "frame", "input", length=window)
    spectrum = g.add("spectrum", "rfft", frame)
    low = g.add("bins", "gather", spectrum, index=list(range(bins - 1)))  # the Nyquist bin follows its neighbour
    level = g.add("level", "logpower", low, eps=1e-10)
    level = g.add("level_scaled", "affine", level)
    shape = g.add("phase", "compress", low, exponent=0.3, eps=1e-10)
    x = g.add("features", "concat", level, shape)
    x = g.add("patches", "reshape", x, shape=[1, wide, 12])
    x = g.add("encode", "bandconv", x, channels=first, taps=3, pad=[1, 1])
    x = g.add("encode_norm", "norm", x, eps=1e-5)
    x = g.add("encode_act", "act", x, kind="silu")
    if first_order:
        x = ssm_block(g, "first", x, first, first_order, lookahead)
    skip = x

    x = g.add("narrow", "mix", x, positions=bands, groups=1)
    x = g.add("widen", "linear", x, channels=channels)
    x = g.add("band_bias", "affine", x)
    for i, order in enumerate(orders):
        x = ssm_block(g, f"block{i}", x, channels, order, 0, own=True)
        x = mix_block(g, f"mix{i}", x, channels, bands, groups)
    x = g.add("shrink", "linear", x, channels=first)
    x = g.add("spread", "mix", x, positions=wide, groups=1)
    x = g.add("joined", "add", x, skip)

    x = ssm_block(g, "last", x, first, last_order, 0)
    x = g.add("decode_norm", "norm", x, eps=1e-5)
    x = g.add("decode_act", "act", x, kind="silu")
    x = g.add("decode", "bandconv", x, channels=4 * 2 * taps, taps=3, pad=[1, 1])
    x = g.add("coefficients", "reshape", x, shape=[1, bins - 1, 2 * taps])
    x = g.add("all_bins", "gather", x, index=[*range(bins - 1), bins - 2])
    x = g.add("filtered", "filter", spectrum, x, taps=taps)
    x = g.add("wave", "irfft", x, length=synthesis)
    g.add("output", "overlap", x)
    return g.config


def sensor(name, *, first=16, channels=40, blocks=2, order=24, first_order=8, groups=4, taps=2):
    """4 kHz in (hop 64, one codec block), 16 kHz out (hop 256), 32 ms: denoises 0-2 kHz and makes 2-8 kHz anew.

    The lower 60 bins are filtered; the bins above are the strongest part of the band (0.9-1.9 kHz) copied upwards and filtered, so that
    everything stays proportional to the input. Taps reach back over lost hops, which `flag` announces.
    """
    g = Graph(name, 4000, 64, 16000, 256)
    kept, low, wide = 60, 16, 64
    source = [*range(kept), *(28 + (k - kept) % 32 for k in range(kept, 257))]
    frame = g.add("frame", "frame", "input", length=128)
    spectrum = g.add("spectrum", "rfft", frame)
    bins = g.add("bins", "gather", spectrum, index=list(range(64)))
    level = g.add("level", "logpower", bins, eps=1e-8)
    level = g.add("level_scaled", "affine", level)
    shape = g.add("phase", "compress", bins, exponent=0.3, eps=1e-8)
    x = g.add("features", "concat", level, shape)
    x = g.add("patches", "reshape", x, shape=[1, low, 12])
    lost = g.add("lost", "gather", "flag", index=[0] * low)
    x = g.add("known", "concat", x, lost)
    x = g.add("encode", "bandconv", x, channels=channels, taps=3, pad=[1, 1])
    x = g.add("encode_norm", "norm", x, eps=1e-5)
    x = g.add("encode_act", "act", x, kind="silu")
    x = g.add("band_bias", "affine", x)
    for i in range(blocks):
        x = ssm_block(g, f"block{i}", x, channels, order, 0, own=True)
        x = mix_block(g, f"mix{i}", x, channels, low, groups)
    x = g.add("shrink", "linear", x, channels=first)
    x = g.add("spread", "mix", x, positions=wide, groups=1)
    x = g.add("wide_bias", "affine", x)
    x = ssm_block(g, "last", x, first, first_order, 0)
    x = g.add("decode_norm", "norm", x, eps=1e-5)
    x = g.add("decode_act", "act", x, kind="silu")
    x = g.add("decode", "bandconv", x, channels=4 * 2 * taps, taps=3, pad=[1, 1])
    x = g.add("coefficients", "reshape", x, shape=[1, 256, 2 * taps])
    x = g.add("all_bins", "gather", x, index=[*range(256), 255])
    copied = g.add("copied", "gather", spectrum, index=source)
    x = g.add("filtered", "filter", copied, x, taps=taps)
    x = g.add("wave", "irfft", x, length=512)
    g.add("output", "overlap", x)
    return g.config


def ssm_block(g, name, x, channels, order, lookahead, own=False):
    """x + glu(ssm(norm(x))): memory over time, per band. A pre-conv only where there is look-ahead: its state of two
    steps for every band and channel would be larger than the SSM's own.

    own: a gain and an offset per band and channel, the cheapest way to let bands differ that share all weights."""
    y = g.add(f"{name}_norm", "norm", x, eps=1e-5)
    if own:
        y = g.add(f"{name}_own", "affine", y)
    if lookahead:
        y = g.add(f"{name}_pre", "conv", y, taps=2 * lookahead + 1, lookahead=lookahead)
    y = g.add(f"{name}_ssm", "ssm", y, channels=2 * channels, order=order)
    y = g.add(f"{name}_glu", "glu", y)
    return g.add(name, "add", x, y)


def mix_block(g, name, x, channels, bands, groups):
    """x + linear(silu(mix(norm(x)))): exchange between bands, then between channels."""
    y = g.add(f"{name}_norm", "norm", x, eps=1e-5)
    y = g.add(f"{name}_own", "affine", y)
    y = g.add(f"{name}_bands", "mix", y, positions=bands, groups=groups)
    y = g.add(f"{name}_act", "act", y, kind="silu")
    y = g.add(f"{name}_channels", "linear", y, channels=channels)
    return g.add(name, "add", x, y)


def paper(name="paper", channels=(16, 32, 64, 96, 128, 256), factors=(4, 4, 2, 2, 2, 2), coeffs=16, repeat=16,
          encoder=1, neck=1, decoder=1):
    """aTENNuate (arXiv 2409.03377) as published: 844,864 parameters at the defaults.

    encoder, neck, decoder: 1 for centred pre-convs there (look-ahead of one step), 0 for causal ones.
    """
    g = Graph(name, 16000, 256)
    sizes = [1, *channels]
    order = coeffs * repeat

    def block(name, x, c, lookahead, last=False):
        if c > 1:
            x = g.add(f"{name}_pre", "conv", x, taps=3, lookahead=lookahead)
        x = g.add(f"{name}_ssm", "ssm", x, channels=c, order=order)
        if c > 1:
            x = g.add(f"{name}_norm", "norm", x, eps=1e-5)
        return x if last else g.add(f"{name}_act", "act", x, kind="silu")

    x, skips, steps = "input", [], 256
    for i, (c, d, r) in enumerate(zip(sizes[:-1], sizes[1:], factors)):
        skips.append(x)
        x = block(f"down{i}", x, c, encoder)
        steps //= r
        x = g.add(f"down{i}_group", "reshape", x, shape=[steps, 1, r * c])
        x = g.add(f"down{i}_patch", "linear", x, channels=d)
    for i in range(2):
        x = block(f"neck{i}", x, sizes[-1], neck)
    for i in reversed(range(len(factors))):
        c, r = sizes[i], factors[i]
        x = g.add(f"up{i}_unpatch", "linear", x, channels=r * c)
        steps *= r
        x = g.add(f"up{i}_split", "reshape", x, shape=[steps, 1, c])
        x = g.add(f"up{i}_skip", "add", x, skips[i])
        x = block(f"up{i}", x, c, decoder)
    x = block("last0", x, 1, decoder)
    x = block("last1", x, 1, decoder, last=True)
    g.config["graph"].append({"name": "output", "op": "reshape", "in": [x], "shape": [256, 1, 1]})
    return g.config


def windows(config):
    """Analysis and synthesis windows of perfect reconstruction for `spectral`: {node: list}.

    Asymmetric when the synthesis part is shorter than the frame (Mauler & Martin, EUSIPCO 2007): the product over the
    synthesis part is a Hann window of twice the hop.
    """
    nodes = {n["name"]: n for n in config["graph"]}
    n, m = nodes["frame"]["length"], nodes["wave"]["length"]
    ratio = config["output"]["rate"] // config["input"]["rate"]
    hann = lambda length, i: 0.5 - 0.5 * math.cos(2 * math.pi * i / length)
    half = m // 2

    def analysis(n, half):
        return [math.sqrt(hann(2 * (n - half), i)) for i in range(n - half)] + [math.sqrt(hann(2 * half, half + i)) for i in range(half)]

    whole = analysis(n * ratio, half)[n * ratio - m:]      # as seen at the output's rate
    synthesis = [hann(m, i) / w * ratio if w else 0.0 for i, w in enumerate(whole)]
    return {"spectrum": analysis(n, half // ratio), "wave": synthesis}


SHIPPED = {
    # 16 ms: 8 ms hop and 8 ms of overlap
    "base": lambda: spectral("base", first=24, channels=64, bands=24, orders=(24, 16, 20, 8, 8, 8), taps=2),
    "lite": lambda: spectral("lite", first=12, channels=32, bands=24, orders=(8, 8, 8), last_order=4, taps=1),
    # 48 ms: 16 ms hop, 16 ms of overlap, one frame of look-ahead
    "hq": lambda: spectral("hq", hop=256, synthesis=512, first=32, channels=96, bands=32, orders=(32,) * 4,
                           first_order=16, last_order=16, taps=3, lookahead=1),
    # 4 kHz, 4 bit in; 32 ms
    "nano": lambda: sensor("nano"),
    "paper": paper,
}

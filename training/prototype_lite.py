"""The interim `lite` model: weights of the CPU prototype (a PyTorch state dict) as a checkpoint (quantize/CHECKPOINT.md).

    python3 -m training.prototype_lite LITE.pt OUT.safetensors [--verify PROTOTYPE_FOLDER]

The network: frames of 256 samples every 128 at 16 kHz -> learned basis, 129 bins of (Re, Im) -> log magnitude, LayerNorm,
96 channels -> 4 residual branches (causal pre-conv, SSM of 64 states with diagonal D, LayerNorm, SiLU, linear) -> a gain
and a small phase turn per bin -> learned synthesis basis, overlap-add. 128 samples of overlap + 128 of hop = 16 ms.
`--verify` runs the prototype's own MaskNet2 in float64 beside the reference and prints both agreements.
"""
import argparse
import sys
import numpy as np
import torch
from .reference import denoise
from .safetensors_io import read, write

HOP, BINS, CHANNELS, BLOCKS, ORDER = 128, 129, 96, 4, 64
EXACT = ("log_dt", "A")  # float32: a pole rounded to half precision is another time constant

CARD = {
    "title": "lite, interim",
    "quality": "A weak, briefly trained denoiser that stands in until the real models are trained. On five unseen noisy "
               "files PESQ-WB rose from 1.544 to 1.67 and SI-SDR from 8.8 to 10.3 dB; clean and high-SNR input suffers.",
    "training": "2,500 steps, 23 h of mixed audio, 27 minutes on two CPU cores",
    "data": "Speech: speechocean762, LibriSpeech train-clean-100 excerpts (CC BY 4.0), AN4 (BSD), Picovoice "
            "speech-to-intent (Apache-2.0), and further openly licensed sources. Noise: ESC-10 clips and other CC0, CC BY, "
            "MIT or public-domain recordings, generated noise and babble. Nothing of the test sets.",
    "licence": "Apache-2.0",
    "network": "SSM mask network on a learned overlapped basis; 0.26 M parameters",
}


def describe():
    graph = []

    def add(name, op, *inputs, **attributes):
        graph.append({"name": name, "op": op, "in": list(inputs), **attributes})
        return name

    x = add("frame", "frame", "input", length=2 * HOP)
    x = add("basis", "linear", x, channels=2 * BINS)
    spectrum = add("spectrum", "reshape", x, shape=[1, BINS, 2])
    x = add("level", "logpower", spectrum, eps=1e-8)
    x = add("levels", "reshape", x, shape=[1, 1, BINS])
    x = add("levels_norm", "norm", x, eps=1e-5)
    x = add("features", "linear", x, channels=CHANNELS)
    x = add("features_act", "act", x, kind="silu")
    for i in range(BLOCKS):
        y = add(f"block{i}_pre", "conv", x, taps=3)
        y = add(f"block{i}_ssm", "ssm", y, channels=CHANNELS, order=ORDER)
        y = add(f"block{i}_norm", "norm", y, eps=1e-5)
        y = add(f"block{i}_act", "act", y, kind="silu")
        y = add(f"block{i}_mlp", "linear", y, channels=CHANNELS)
        x = add(f"block{i}", "add", x, y)
    x = add("head", "linear", x, channels=2 * BINS)
    x = add("head_bins", "reshape", x, shape=[1, BINS, 2])
    gain = add("gain", "act", add("gain_part", "slice", x, **{"from": 0, "to": 1}), kind="sigmoid")
    turn = add("turn", "act", add("turn_part", "slice", x, **{"from": 1, "to": 2}), kind="tanh")
    turned = add("gain_turned", "mul", gain, turn)
    mask = add("mask", "concat", gain, turned)  # gain * (1 + i turn)
    x = add("masked", "filter", spectrum, mask, taps=1)
    x = add("masked_flat", "reshape", x, shape=[1, 1, 2 * BINS])
    x = add("synthesis", "linear", x, channels=2 * HOP)
    add("output", "overlap", x)
    return {"version": 1, "name": "lite-interim", "input": {"rate": 16000, "hop": HOP},
            "output": {"rate": 16000, "hop": HOP}, "graph": graph, "card": CARD}


def convert(state):
    """{prototype name: tensor} -> {node.tensor: float32 array}."""
    p = {name: value.numpy() for name, value in state.items()}
    tensors = {
        "basis.weight": interleave(p["enc"][:BINS], p["enc"][BINS:]),
        "levels_norm.weight": p["fnorm.weight"], "levels_norm.bias": p["fnorm.bias"],
        "features.weight": p["feat.weight"], "features.bias": p["feat.bias"],
        "head.weight": pair(p["head.weight"][:BINS], p["head.weight"][BINS:]),
        "head.bias": pair(p["head.bias"][:BINS], p["head.bias"][BINS:]),
        "synthesis.weight": interleave(p["dec"].T[:BINS], p["dec"].T[BINS:]).T,
    }
    for i in range(BLOCKS):
        block, ssm = f"block{i}", f"blk.{i}.ssm"
        tensors.update({
            f"{block}_pre.weight": p[f"blk.{i}.pre.weight"].transpose(2, 1, 0),  # (C, 1, taps) -> (taps, 1, C)
            f"{block}_pre.bias": p[f"blk.{i}.pre.bias"],
            f"{block}_ssm.log_dt": p[f"{ssm}.log_dt"],
            f"{block}_ssm.A": np.stack([p[f"{ssm}.a_re"], p[f"{ssm}.a_im"]], 1),
            f"{block}_ssm.B": p[f"{ssm}.B"], f"{block}_ssm.C": p[f"{ssm}.C"], f"{block}_ssm.D": p[f"{ssm}.D"],
            f"{block}_norm.weight": p[f"blk.{i}.norm.weight"], f"{block}_norm.bias": p[f"blk.{i}.norm.bias"],
            f"{block}_mlp.weight": p[f"mlp.{i}.weight"], f"{block}_mlp.bias": p[f"mlp.{i}.bias"],
        })
    return tensors


def pair(re, im):
    """Rows of Re and Im in turn: (bins, n) twice -> (2 bins, n)."""
    return np.stack([re, im], 1).reshape(2 * len(re), *re.shape[1:])


def interleave(cosines, sines):
    """The first and last bin have no sine: zero rows there."""
    zero = np.zeros_like(sines[:1])
    return pair(cosines, np.concatenate([zero, sines, zero]))


def halve(tensors):
    return {name: t if name.split(".")[-1] in EXACT else t.astype(np.float16) for name, t in tensors.items()}


def verify(folder, state, checkpoint, exact):
    """Prints the agreement of prototype and reference: exact weights, then those of the written file."""
    sys.path.insert(0, folder)
    from masknet2 import MaskNet2
    network = MaskNet2(c=CHANNELS, blocks=BLOCKS, coeffs=8, repeat=8)
    network.load_state_dict(state)
    random = np.random.RandomState(1)
    n = 2048 * 64
    samples = 0.1 * random.randn(n) * (0.2 + np.sin(np.arange(n) / 3000) ** 2)
    with torch.no_grad():
        want = network.double()(torch.from_numpy(samples)[None])[0].numpy()
    tensors, config = read(checkpoint)
    for label, weights in (("exact weights", exact), ("weights as written", tensors)):
        # the prototype leaves its last half frame empty
        got = denoise(weights, config, samples)[:n - HOP]
        print(f"{label}: {signal_to_difference_db(want[:n - HOP], got):.1f} dB")


def signal_to_difference_db(want, got):
    return 10 * np.log10((want ** 2).sum() / ((want - got) ** 2).sum())


def main():
    parser = argparse.ArgumentParser(description="The prototype's weights as a checkpoint")
    parser.add_argument("weights")
    parser.add_argument("out")
    parser.add_argument("--verify", metavar="PROTOTYPE_FOLDER")
    arguments = parser.parse_args()
    state = torch.load(arguments.weights, map_location="cpu")
    exact = convert(state)
    write(arguments.out, halve(exact), describe())
    print(f"{arguments.out}: {sum(t.size for t in exact.values())} numbers")
    if arguments.verify:
        verify(arguments.verify, state, arguments.out, exact)


if __name__ == "__main__":
    main()

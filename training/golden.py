"""Golden vectors: what the reference makes of small random networks, for tests that run without Python.

    python3 -m training.golden                     rewrites tests/golden (same bytes every time on one machine)
    python3 -m training.golden --paper WEIGHTS.pt --clip NOISY.wav --out FOLDER
                                                   full-size public network: checkpoint.safetensors and output.f64 there

Out, per network: <name>.safetensors (the checkpoint) and <name>.f32 (the expected samples, little-endian); golden.jsonl
lists the cases. The input is a formula (golden_signal.py). tests/golden/README.md describes the files.
"""
import argparse
import json
import pathlib
import numpy as np
from .golden_networks import SINGLE, WHOLE
from .golden_signal import samples
from .golden_tensors import draw
from .reference import denoise, read_wav
from .safetensors_io import read, write

FOLDER = pathlib.Path(__file__).parent.parent / "tests" / "golden"
EDGE, STRIDE = 2000, 61  # samples kept at each end; every 61st in between: 61 is prime, so it meets every place in a hop
LEVELS = (0.001, 0.01, 0.1, 1)  # -60, -40, -20, 0 dBFS
# The paper's topology has only norms between its ends: quiet input needs small biases and weights drawn with luck
BIASES = {"paper-centred": 0.0003, "paper-causal": 0.0003}
SEEDS = {"paper-centred": 6, "paper-causal": 2}
NUMBER_TYPES = {"residual": np.float32, "unequal": np.float64}
LOST = [0, 5, 6, 20, 21, 22, 24]


def whole_cases(rate):
    count = 20 * rate + 123  # no whole number of hops
    return [(count, 7, level) for level in LEVELS] + [(count, 0, 0.1)]


def single_cases(config):
    longest = max([node.get("length", 0) for node in config["graph"]])
    return [(max(1993, 2 * longest + 9), 7, 1)]


def write_network(name, config, options, cases, number_type):
    config["name"] = name
    config["card"] = {"purpose": "golden vectors; random weights"}
    checkpoint = FOLDER / f"{name}.safetensors"
    tensors = draw(config, options, number_type, BIASES.get(name, 0.1), SEEDS.get(name, 0))
    write(checkpoint, tensors, config)
    tensors, config = read(checkpoint)  # as stored, rounding included
    lost = LOST if any("flag" in node["in"] for node in config["graph"]) else []
    stored, entries, at = [], [], 0
    for count, offset, level in cases:
        output = denoise(tensors, config, samples(count, offset, level), lost)
        check_lively(name, output)
        kept = select(output)
        stored.append(kept)
        entries.append({"samples": count, "offset": offset, "level": level, "lost": lost, "results": len(output),
                        "at": at, "energies": energies(output, config["output"]["rate"])})
        at += len(kept)
    np.concatenate(stored).astype("<f4").tofile(FOLDER / f"{name}.f32")
    return {"name": name, "cases": entries}


def select(output):
    """First and last EDGE samples and every STRIDE-th of all; everything where that is shorter."""
    if len(output) <= 2 * EDGE:
        return output
    return np.concatenate([output[:EDGE], output[-EDGE:], output[::STRIDE]])


def energies(output, rate):
    """Sum of squares of each begun second."""
    return [float(f"{(output[i:i + rate] ** 2).sum():.9g}") for i in range(0, len(output), rate)]


def check_lively(name, output):
    """Neither silent nor huge nor a mere constant, beside which errors of the signal would look small."""
    level, swing = np.sqrt((output ** 2).mean()), output[len(output) // 2:].std()
    if not (2e-5 < level < 30 and swing > 0.2 * level):
        raise ValueError(f"network {name}: output RMS {level:.3g}, swing {swing:.3g}; draw other weights")


def rewrite():
    FOLDER.mkdir(parents=True, exist_ok=True)
    networks = []
    for name, build in WHOLE.items():
        config, options = build()
        cases = whole_cases(config["input"]["rate"])
        networks.append(write_network(name, config, options, cases, NUMBER_TYPES.get(name, np.float16)))
        print(name, flush=True)
    for name, build in SINGLE.items():
        config, options = build()
        networks.append(write_network(f"op-{name}", config, options, single_cases(config), np.float32))
    lines = [json.dumps(line) + "\n" for line in ({"edge": EDGE, "stride": STRIDE}, *networks)]
    (FOLDER / "golden.jsonl").write_text("".join(lines))
    size = sum(path.stat().st_size for path in FOLDER.iterdir() if path.suffix in (".f32", ".safetensors", ".jsonl"))
    print(f"{len(networks)} networks, {size} bytes in {FOLDER.name}")


def full_paper(paper, clip, out):
    from .golden_paper import convert  # needs torch
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    tensors, config = convert(paper)
    write(out / "checkpoint.safetensors", tensors, config)
    result = denoise(tensors, config, read_wav(clip, 16000))
    result.astype("<f8").tofile(out / "output.f64")
    print(f"{out}: {sum(t.size for t in tensors.values())} numbers, {len(result)} samples, peak {np.abs(result).max():.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paper", metavar="WEIGHTS.pt")
    parser.add_argument("--clip", metavar="NOISY.wav")
    parser.add_argument("--out", metavar="FOLDER")
    arguments = parser.parse_args()
    given = vars(arguments).values()
    if not any(given):
        return rewrite()
    if not all(given):
        parser.error("--paper, --clip and --out go together")
    full_paper(**vars(arguments))


if __name__ == "__main__":
    main()

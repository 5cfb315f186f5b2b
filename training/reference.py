"""The reference: a checkpoint's graph (quantize/CHECKPOINT.md) run step by step in float64, plainly rather than fast.

In: tensors, configuration, samples in -1..1 at the input rate. Out: float64 samples at the output rate, aligned with the
input and as long. It defines what the compiled program must compute, so it shares no code with compiler, core or trainer.

    python3 -m training.reference CKPT.safetensors IN.wav OUT.f64      (mono 16-bit WAV in, raw little-endian float64 out)

Every value is the whole stream at once, (T, P, C): T = hops * steps in time, P positions, C channels. Where an op has
memory there is a loop over t; what the table writes as a sum over channels or positions is one matrix product.
"""
import argparse
import wave
import numpy as np
from .safetensors_io import read

SSM_CHUNK = 2048  # steps whose states are kept at a time; bounds memory only


def denoise(tensors, config, samples, lost=None):
    """The offline definition: pad to whole hops and past the overlap, run every step, drop the lag, trim.

    lost: hop numbers of the input that never arrived (what the value `flag` says); their samples are used as given.
    """
    hop, out_hop = config["input"]["hop"], config["output"]["hop"]
    lag = overlap_lag(config)
    hops = -(-len(samples) // hop) + -(-lag // out_hop)
    padded = np.zeros(hops * hop)
    padded[:len(samples)] = samples
    flags = np.zeros(hops)
    flags[list(lost or [])] = 1
    result = run(tensors, config, padded, flags)
    keep = -(-len(samples) * out_hop // hop)
    return result[lag:lag + keep]


def run(tensors, config, samples, flags=None):
    """The graph over whole hops of samples, on the result timeline: nothing dropped."""
    hop = config["input"]["hop"]
    hops, rest = divmod(len(samples), hop)
    if rest:
        raise ValueError(f"{len(samples)} samples are no whole number of hops of {hop}; pad with zeros")
    flags = np.zeros(hops) if flags is None else np.asarray(flags, np.float64)
    values = {"input": np.asarray(samples, np.float64).reshape(-1, 1, 1), "flag": flags.reshape(-1, 1, 1)}
    last_use = {name: i for i, node in enumerate(config["graph"]) for name in node["in"]}
    for i, node in enumerate(config["graph"]):
        if node["op"] not in OPS:
            raise ValueError(f"node {node['name']}: unknown op {node['op']}; known are {' '.join(OPS)}")
        inputs = [values[name] for name in node["in"]]
        values[node["name"]] = OPS[node["op"]](inputs, node, own_tensors(tensors, node["name"]), config, hops)
        for name in node["in"]:
            if last_use[name] == i:
                values.pop(name, None)
    return values["output"].reshape(-1)


def own_tensors(tensors, node):
    prefix = node + "."
    return {name[len(prefix):]: np.asarray(tensors[name], np.float64) for name in tensors if name.startswith(prefix)}


def overlap_lag(config):
    """Output samples by which the result timeline starts before the input's."""
    early = {"input": 0.0, "flag": 0.0}  # in hops
    shapes = value_shapes(config)
    for node in config["graph"]:
        own = 0.0
        if node["op"] == "overlap":
            steps, _, length = shapes[node["in"][0]]
            stride = overlap_stride(node, config, steps)
            own = (length - stride) / (steps * stride)
        early[node["name"]] = max(early[name] for name in node["in"]) + own
    lag = early["output"] * config["output"]["hop"]
    if abs(lag - round(lag)) > 1e-6:
        raise ValueError(f"overlap shifts the result by {lag} samples; choose a stride that gives a whole number")
    return round(lag)


def value_shapes(config):
    """{name: (steps, positions, channels)} in one hop."""
    shapes = {"input": (config["input"]["hop"], 1, 1), "flag": (1, 1, 1)}
    for node in config["graph"]:
        shapes[node["name"]] = shape_of(node, [shapes[name] for name in node["in"]], config)
    return shapes


def shape_of(node, inputs, config):
    op, (S, P, C) = node["op"], inputs[0]
    if op == "reshape":
        return tuple(node["shape"])
    if op in ("linear", "ssm"):
        return S, P, node["channels"]
    if op == "bandconv":
        left, right = node.get("pad", (0, 0))
        return S, (P + left + right - node["taps"]) // node.get("stride", 1) + 1, node["channels"]
    if op == "mix":
        return S, node["positions"], C
    if op == "glu":
        return S, P, C // 2
    if op == "slice":
        return S, P, node["to"] - node["from"]
    if op == "concat":
        return S, P, sum(c for _, _, c in inputs)
    if op == "gather":
        return S, len(node["index"]), C
    if op == "frame":
        return S // node.get("stride", S), 1, node["length"]
    if op == "rfft":
        return S, C // 2 + 1, 2
    if op == "irfft":
        return S, 1, node["length"]
    if op == "overlap":
        return S * overlap_stride(node, config, S), 1, 1
    if op == "logpower":
        return S, P, 1
    return S, P, C


def overlap_stride(node, config, steps):
    return node.get("stride", config["output"]["hop"] // steps)


# The ops, in the order of the table. x: (T, P, C); node: attributes; w: tensors by short name; hops: of the stream.

def reshape(inputs, node, w, config, hops):
    steps, P, C = node["shape"]
    return inputs[0].reshape(hops * steps, P, C)


def linear(inputs, node, w, config, hops):
    return inputs[0] @ w["weight"].T + w.get("bias", 0)


def bandconv(inputs, node, w, config, hops):
    x, (left, right), stride = inputs[0], node.get("pad", (0, 0)), node.get("stride", 1)
    padded = np.pad(x, ((0, 0), (left, right), (0, 0)))
    count = (padded.shape[1] - node["taps"]) // stride + 1
    y = 0
    for j in range(node["taps"]):
        y = y + padded[:, j:j + (count - 1) * stride + 1:stride] @ w["weight"][:, j].T
    return y + w.get("bias", 0)


def mix(inputs, node, w, config, hops):
    x, groups = inputs[0], node.get("groups", 1)
    width = x.shape[2] // groups
    parts = [w["weight"][g] @ x[:, :, g * width:(g + 1) * width] for g in range(groups)]
    return np.concatenate(parts, 2) + w.get("bias", np.zeros(1))[:, None]


def conv(inputs, node, w, config, hops):
    x, k, ahead, m = inputs[0], node["taps"], node.get("lookahead", 0), node.get("bands", 1)
    T, P, C = x.shape
    side = (m - 1) // 2
    behind = max(0, k - 1 - ahead)
    padded = np.pad(x, ((behind, ahead), (side, side), (0, 0)))  # zero outside the stream and outside the bands
    y = np.zeros((T, P, C))
    for j in range(k):
        first = ahead - (k - 1) + j + behind
        for i in range(m):
            y += w["weight"][j, i] * padded[first:first + T, i:i + P]
    return y + w.get("bias", 0)


def ssm(inputs, node, w, config, hops):
    u = inputs[0]
    T, P, _ = u.shape
    dt = np.exp(w["log_dt"])
    pole = np.exp(dt * (-softplus(w["A"][:, 0]) + 1j * w["A"][:, 1]))
    B = dt[:, None] * as_complex(w["B"], 2)
    C = as_complex(w["C"], 2)
    y = np.empty((T, P, node["channels"]))
    x = np.zeros((P, node["order"]), complex)
    for begin in range(0, T, SSM_CHUNK):
        drive = u[begin:begin + SSM_CHUNK] @ B.T
        states = np.empty(drive.shape, complex)
        for t in range(len(drive)):
            x = pole * x + drive[t]
            states[t] = x
        y[begin:begin + SSM_CHUNK] = (states @ C.T).real
    if "D" not in w:
        return y
    return y + (w["D"] * u if w["D"].ndim == 1 else u @ w["D"].T)


def as_complex(tensor, dimensions):
    """A trailing axis of two is (Re, Im)."""
    return tensor[..., 0] + 1j * tensor[..., 1] if tensor.ndim > dimensions else tensor


def softplus(a):
    return np.logaddexp(0, a)


def norm(inputs, node, w, config, hops):
    x = inputs[0]
    centred = x - x.mean(2, keepdims=True)
    variance = (centred ** 2).mean(2, keepdims=True)
    return centred / np.sqrt(variance + node.get("eps", 1e-5)) * w["weight"] + w["bias"]


def affine(inputs, node, w, config, hops):
    return inputs[0] * w["weight"] + w.get("bias", 0)


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def act(inputs, node, w, config, hops):
    x, kind = inputs[0], node["kind"]
    if kind == "silu":
        return x * sigmoid(x)
    if kind == "relu":
        return np.maximum(x, 0)
    if kind == "sigmoid":
        return sigmoid(x)
    if kind == "tanh":
        return np.tanh(x)
    if kind == "prelu":
        return np.where(x < 0, w["weight"] * x, x)
    raise ValueError(f"node {node['name']}: unknown kind {kind}; use silu, relu, sigmoid, tanh or prelu")


def glu(inputs, node, w, config, hops):
    half = inputs[0].shape[2] // 2
    return inputs[0][:, :, :half] * sigmoid(inputs[0][:, :, half:])


def add(inputs, node, w, config, hops):
    return inputs[0] + w.get("gain", 1) * inputs[1]


def mul(inputs, node, w, config, hops):
    return inputs[0] * inputs[1]


def slice_channels(inputs, node, w, config, hops):
    return inputs[0][:, :, node["from"]:node["to"]]


def concat(inputs, node, w, config, hops):
    return np.concatenate(inputs, 2)


def gather(inputs, node, w, config, hops):
    index = np.array(node["index"])
    return np.where(index[:, None] >= 0, inputs[0][:, np.maximum(index, 0)], 0)


def frame(inputs, node, w, config, hops):
    samples, n = inputs[0].reshape(-1), node["length"]
    stride = node.get("stride", len(samples) // hops)
    history = np.concatenate([np.zeros(n), samples])  # sample i lies at n + i
    ends = range(stride, len(samples) + 1, stride)
    return np.stack([history[end:end + n] for end in ends])[:, None]


def rfft(inputs, node, w, config, hops):
    spectrum = np.fft.rfft(inputs[0][:, 0] * w["window"])
    return np.stack([spectrum.real, spectrum.imag], 2)


def irfft(inputs, node, w, config, hops):
    wave_form = np.fft.irfft(as_complex(inputs[0], 2))  # ignores the imaginary parts of the first and last bin
    return (wave_form[:, -node["length"]:] * w["window"])[:, None]


def overlap(inputs, node, w, config, hops):
    frames = inputs[0][:, 0]
    count, length = frames.shape
    stride = overlap_stride(node, config, count // hops)
    sums = np.zeros(count * stride + length)
    for j in range(count):
        sums[j * stride:j * stride + length] += frames[j]
    return sums[:count * stride].reshape(-1, 1, 1)


def power(x):
    return (x ** 2).sum(2, keepdims=True)


def logpower(inputs, node, w, config, hops):
    return np.log(power(inputs[0]) + node["eps"]) / 2


def compress(inputs, node, w, config, hops):
    return inputs[0] * (power(inputs[0]) + node["eps"]) ** ((node["exponent"] - 1) / 2)


def filter_spectrum(inputs, node, w, config, hops):
    spectrum = as_complex(inputs[0], 2)
    y = 0
    for i in range(node.get("taps", 1)):
        past = np.concatenate([np.zeros_like(spectrum[:i]), spectrum[:max(0, len(spectrum) - i)]])
        y = y + as_complex(inputs[1][:, :, 2 * i:2 * i + 2], 2) * past
    return np.stack([y.real, y.imag], 2)


OPS = {
    "reshape": reshape, "linear": linear, "bandconv": bandconv, "mix": mix, "conv": conv, "ssm": ssm, "norm": norm,
    "affine": affine, "act": act, "glu": glu, "add": add, "mul": mul, "slice": slice_channels, "concat": concat,
    "gather": gather, "frame": frame, "rfft": rfft, "irfft": irfft, "overlap": overlap, "logpower": logpower,
    "compress": compress, "filter": filter_spectrum,
}


def read_wav(path, rate):
    try:
        with wave.open(path) as file:
            given = file.getframerate(), file.getnchannels(), file.getsampwidth()
            samples = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as fault:
        raise SystemExit(f"{path}: {getattr(fault, 'strerror', None) or str(fault) or 'empty'}; expected a WAV") from None
    if given != (rate, 1, 2):
        raise SystemExit(f"{path}: rate, channels, bytes are {given}; convert it to {(rate, 1, 2)}")
    return np.frombuffer(samples, "<i2") / 32768


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoint", metavar="CKPT.safetensors", help="the network")
    p.add_argument("wav", metavar="IN.wav", help="mono, 16 bit, at the network's input rate")
    p.add_argument("out", metavar="OUT.f64", help="samples, raw little-endian float64")
    return p.parse_args()


def main(checkpoint, wav, out):
    tensors, config = read(checkpoint)
    result = denoise(tensors, config, read_wav(wav, config["input"]["rate"]))
    result.astype("<f8").tofile(out)
    print(f"{out}: {len(result)} samples at {config['output']['rate']} Hz, peak {np.abs(result).max():.4f}")


if __name__ == "__main__":
    main(**vars(arguments()))

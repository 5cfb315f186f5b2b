"""Random but lively weights for a graph (quantize/CHECKPOINT.md): no signal dies, none explodes.

In: configuration, options per node, a seed. Out: {node.tensor: array}. Options name the optional tensors a node shall
have: `bias`, `gain` or `gains`, `complex B`, `complex C`, `diagonal D`, `full D`, `positions` (affine weights per position).
"""
import zlib
import numpy as np
from . import reference
from .golden_signal import samples

EXACT = ("log_dt", "A", "window")
SETTLED = {"linear": ("weight",), "bandconv": ("weight",), "mix": ("weight",), "conv": ("weight",), "ssm": ("C", "D")}


def draw(config, options, number_type=np.float16, bias=0.1, seed=0):
    """Tensors as they will be stored: float16 or the given type, poles and windows at least float32.

    bias: size of the biases; small ones keep networks without skips from drowning quiet input in constants.
    """
    random = np.random.RandomState((zlib.crc32(config["name"].encode()) + seed) & 0x7FFFFFFF)
    shapes = reference.value_shapes(config)
    tensors = {}
    for node in config["graph"]:
        wanted = options.get(node["name"], ())
        for name, value in draw_node(node, shapes[node["in"][0]], shapes[node["name"]], wanted, bias, random).items():
            exact = name in EXACT and number_type == np.float16
            tensors[f"{node['name']}.{name}"] = np.asarray(value).astype(np.float32 if exact else number_type)
    settle(tensors, config)
    return tensors


def draw_node(node, taken, given, wanted, bias, random):
    op, (_, P, C), (_, Q, d) = node["op"], taken, given
    normal = random.standard_normal
    out = {}
    if op == "linear":
        out["weight"] = normal((d, C)) / np.sqrt(C)
    elif op == "bandconv":
        out["weight"] = normal((d, node["taps"], C)) / np.sqrt(node["taps"] * C)
    elif op == "mix":
        out["weight"] = normal((node.get("groups", 1), Q, P)) / np.sqrt(P)
    elif op == "conv":
        k, m = node["taps"], node.get("bands", 1)
        out["weight"] = normal((k, m, C)) / np.sqrt(k * m)
    elif op == "ssm":
        return draw_ssm(node["order"], C, d, wanted, normal)
    elif op in ("norm", "affine"):
        shape = (P, C) if "positions" in wanted else (C,)
        out["weight"] = 1 + 0.2 * normal(shape)
        if op == "norm" or "bias" in wanted:
            out["bias"] = bias * normal(shape)
        return out
    elif op == "act" and node["kind"] == "prelu":
        out["weight"] = 0.25 + 0.1 * normal(C)
    elif op == "add" and "gain" in wanted:
        out["gain"] = 0.7 + 0.1 * normal()
    elif op == "add" and "gains" in wanted:
        out["gain"] = 0.7 + 0.1 * normal(C)
    elif op == "rfft":
        out["window"] = uneven_window(C, random)
    elif op == "irfft":
        out["window"] = uneven_window(node["length"], random)
    if "bias" in wanted:
        out["bias"] = bias * normal(Q if op == "mix" else d)
    return out


def draw_ssm(order, C, d, wanted, normal):
    """Decays and frequencies as the paper starts them, spread; every state about as loud as its input.

    C favours the fast states: the slow ones would pile up any constant until nothing else is left.
    """
    dt = np.exp(np.linspace(np.log(0.001), np.log(0.3), order))
    a = np.log(np.expm1(0.5)) + 0.3 * normal(order)
    w = np.pi * (np.arange(order) % 4) + 0.3 * normal(order)
    loudness = np.sqrt(-np.expm1(-2 * dt * np.logaddexp(0, a))) / dt / np.sqrt(C)
    B = normal((order, C, 2) if "complex B" in wanted else (order, C))
    C_out = normal((d, order, 2) if "complex C" in wanted else (d, order))
    out = {
        "log_dt": np.log(dt), "A": np.stack([a, w], 1),
        "B": B * loudness.reshape(-1, *[1] * (B.ndim - 1)),
        "C": C_out * np.sqrt(dt / order).reshape(-1, *[1] * (C_out.ndim - 2)),
    }
    if C == d == 1 < order:
        out["C"] = block_constants(out)
    if "diagonal D" in wanted:
        out["D"] = 0.5 * normal(d)
    if "full D" in wanted:
        out["D"] = 0.5 * normal((d, C)) / np.sqrt(C)
    return out


def block_constants(w):
    """The nearest real C of a one-channel SSM by which a constant input gives zero."""
    dt = np.exp(w["log_dt"])
    pole = np.exp(dt * (-np.logaddexp(0, w["A"][:, 0]) + 1j * w["A"][:, 1]))
    response = (dt * w["B"][:, 0] / (1 - pole)).real
    return w["C"] - (w["C"] @ response)[:, None] * response / (response @ response)


def uneven_window(n, random):
    """No symmetry, so that a window read backwards or shifted is noticed."""
    return np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 0.5 * (1 + 0.2 * random.standard_normal(n))


def settle(tensors, config):
    """Scales each weighted node by a power of two to an RMS near 1, the last one to 1/8, for input at -20 dBFS.

    Powers of two: the stored numbers do not depend on how this machine rounds its sums.
    """
    hop = config["input"]["hop"]
    hops = -(-config["input"]["rate"] // hop)
    values = {"input": samples(hops * hop, 0, 0.1).reshape(-1, 1, 1), "flag": np.zeros((hops, 1, 1))}
    weighted = [node["name"] for node in config["graph"] if node["op"] in SETTLED]
    for node in config["graph"]:
        inputs = [values[name] for name in node["in"]]

        def result():
            own = reference.own_tensors(tensors, node["name"])
            return reference.OPS[node["op"]](inputs, node, own, config, hops)

        value = result()
        if node["op"] in SETTLED:
            target = 0.125 if node["name"] == weighted[-1] else 1.0
            scale = 2.0 ** round(np.log2(target / max(np.sqrt((value ** 2).mean()), 1e-9)))
            for name in SETTLED[node["op"]]:
                key = f"{node['name']}.{name}"
                if key in tensors:
                    tensors[key] = (tensors[key] * scale).astype(tensors[key].dtype)
            value = result()
        values[node["name"]] = value

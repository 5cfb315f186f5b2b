"""The network as PyTorch: interprets the graph of a checkpoint (quantize/CHECKPOINT.md) over whole sequences.

Values are (T, B, P, C): steps of the whole sequence, batch, positions, channels. Tensors carry the checkpoint's names
with dots as in `<node>.<tensor>`. Input and output are (B, samples).
"""
import math
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from .rounding import rounded
from .safetensors_io import read
from .scan import scan
from .shapes import windows


class Network(nn.Module):
    def __init__(self, config, seed=0, tensors=None):
        """tensors: {"<node>/<tensor>": value} in place of a fresh start, as of a checkpoint the compiler has reduced."""
        super().__init__()
        self.config = config
        self.tensors = nn.ParameterDict()
        generator = torch.Generator().manual_seed(seed)
        shapes = infer_shapes(config)
        for node in config["graph"]:
            fresh = initial(node, shapes, generator) if tensors is None else own_tensors(node, tensors)
            for name, value in fresh.items():
                self.put(node["name"], name, value, trained=node["op"] not in ("rfft", "irfft"))
        if tensors is None and any(n["op"] == "irfft" for n in config["graph"]):
            for node, window in windows(config).items():
                self.get(node, "window").data.copy_(torch.tensor(window))
        self.shapes = shapes
        self.format = None       # or "int8", "int4": weights rounded as the compiler would (rounding.py)

    def put(self, node, name, value, trained=True):
        self.tensors[f"{node}/{name}"] = nn.Parameter(value, requires_grad=trained)

    def get(self, node, name):
        key = f"{node}/{name}"
        return self.tensors[key] if key in self.tensors else None

    def weight(self, node, name):
        get = lambda tensor: self.get(node["name"], tensor)
        return get(name) if self.format is None else rounded(get, node["op"], name, self.format)

    def forward(self, x, flag=None):
        values = {"input": x.t()[:, :, None, None]}
        if flag is not None:
            values["flag"] = flag.t()[:, :, None, None]
        for node in self.config["graph"]:
            name = node["name"]
            inputs = [values[i] for i in node["in"]]
            values[name] = OPS[node["op"]](inputs, node, lambda t: self.weight(node, t), self.shapes)
        return values["output"][:, :, 0, 0].t()

    @torch.no_grad()
    def limit_memory(self, seconds):
        """Poles that forget more slowly than with this time constant are moved to it, in place.

        A state settles in about three of them. One that has not settled within a training item goes where the network has never been
        when a stream goes on for longer."""
        hop, rate = (self.config["input"][k] for k in ("hop", "rate"))
        for node in self.config["graph"]:
            if node["op"] == "ssm":
                steps = rate / hop * self.shapes[node["in"][0]][0]          # per second
                A, dt = self.get(node["name"], "A"), self.get(node["name"], "log_dt").exp()
                rate_of_decay = 1 / (seconds * steps) / dt
                least = rate_of_decay + torch.log(-torch.expm1(-rate_of_decay))     # inverse of softplus
                A[:, 0] = torch.maximum(A[:, 0], least)


def own_tensors(node, tensors):
    prefix = node["name"] + "/"
    return {key[len(prefix):]: value for key, value in tensors.items() if key.startswith(prefix)}


def from_checkpoint(path):
    """The network of a checkpoint file, to be trained further: `attenuate compile --write-checkpoint` writes reduced ones."""
    arrays, config = read(path)
    return Network(config, tensors={"/".join(k.rsplit(".", 1)): torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()})


def infer_shapes(config):
    """{value: (steps, positions, channels)} for every value of the graph."""
    shapes = {"input": (config["input"]["hop"], 1, 1), "flag": (1, 1, 1)}
    for node in config["graph"]:
        S, P, C = shapes[node["in"][0]]
        shapes[node["name"]] = SHAPES.get(node["op"], lambda n, s: s)(node, (S, P, C)) if node["op"] not in JOINS \
            else JOINS[node["op"]](node, [shapes[i] for i in node["in"]])
        if node["op"] == "overlap":
            stride = node.get("stride", config["output"]["hop"] // S)
            shapes[node["name"]] = (S * stride, 1, 1)
    return shapes


def band_positions(node, shape):
    left, right = node.get("pad", [0, 0])
    return (shape[1] + left + right - node["taps"]) // node.get("stride", 1) + 1


SHAPES = {
    "reshape": lambda n, s: tuple(n["shape"]),
    "linear": lambda n, s: (s[0], s[1], n["channels"]),
    "bandconv": lambda n, s: (s[0], band_positions(n, s), n["channels"]),
    "mix": lambda n, s: (s[0], n["positions"], s[2]),
    "ssm": lambda n, s: (s[0], s[1], n["channels"]),
    "glu": lambda n, s: (s[0], s[1], s[2] // 2),
    "slice": lambda n, s: (s[0], s[1], n["to"] - n["from"]),
    "gather": lambda n, s: (s[0], len(n["index"]), s[2]),
    "frame": lambda n, s: (s[0] // n.get("stride", s[0]), 1, n["length"]),
    "rfft": lambda n, s: (s[0], s[2] // 2 + 1, 2),
    "irfft": lambda n, s: (s[0], 1, n["length"]),
    "logpower": lambda n, s: (s[0], s[1], 1),
}
JOINS = {"concat": lambda n, shapes: (*shapes[0][:2], sum(s[2] for s in shapes))}


# --- initial tensors -------------------------------------------------------------------------------------------------

def initial(node, shapes, generator):
    """Tensors a fresh node starts from."""
    S, P, C = shapes[node["in"][0]]
    _, Q, d = shapes[node["name"]]
    normal = lambda *shape: torch.randn(*shape, generator=generator)
    op, last = node["op"], node["name"] == "decode"
    if op == "linear":
        scale = 0.3 if node["name"].startswith("mix") else 1.0   # residual branches start small
        out = {"weight": normal(d, C) * scale / math.sqrt(C)}
        return out if node["name"].endswith(("patch", "unpatch")) else {**out, "bias": torch.zeros(d)}
    if op == "bandconv":
        k = node["taps"]
        out = {"weight": normal(d, k, C) * (0.1 if last else 1.0) / math.sqrt(k * C), "bias": torch.zeros(d)}
        if last:  # identity: the newest tap's real part is one (copied bands start at nothing)
            taps = d // 8
            out["bias"].view(4, 2 * taps)[:, 0] = 1.0
        return out
    if op == "mix":
        G = node.get("groups", 1)
        q = torch.arange(Q)[:, None] + 0.5
        p = torch.arange(P)[None, :] + 0.5
        near = torch.exp(-0.5 * ((warp(q / Q, Q, P) - warp(p / P, P, Q)) * max(Q, P)).square())
        near = near / near.sum(1, keepdim=True)
        noise = normal(G, Q, P) * (0.5 if Q == P else 0.1) / math.sqrt(P)
        return {"weight": near[None].repeat(G, 1, 1) + noise, "bias": torch.zeros(Q)}
    if op == "conv":
        weight = normal(node["taps"], node.get("bands", 1), C) * 0.1
        weight[node["taps"] - 1 - node.get("lookahead", 0), node.get("bands", 1) // 2] += 1.0
        return {"weight": weight, "bias": torch.zeros(C)}
    if op == "ssm":
        return initial_ssm(node["order"], C, d, S, normal)
    if op in ("norm", "affine"):
        if node["name"] == "level_scaled":
            return {"weight": torch.full((C,), 0.3), "bias": torch.full((C,), 0.8)}
        shape = (P, C) if op == "affine" else (C,)
        return {"weight": torch.ones(shape), "bias": torch.zeros(shape)}
    if op == "act" and node["kind"] == "prelu":
        return {"weight": torch.full((C,), 0.25)}
    if op in ("rfft", "irfft"):
        return {"window": torch.zeros(C if op == "rfft" else node["length"])}
    return {}


def warp(x, own, other):
    """Narrow bands low, wide bands high: positions of the coarser side follow a power law."""
    return x ** 1.6 if own < other else x


def initial_ssm(order, C, d, steps, normal):
    """Paper's grid, cut short where it has more than `order`: decay 0.5, frequencies pi n, dt log-spaced (arXiv 2409.03377, section 3)."""
    coeffs = 4 if order <= 64 else 16
    repeat = -(-order // coeffs)
    low, high = (1e-3, 1e-1) if order > 64 else (6e-3, 6e-1)
    dt = torch.linspace(math.log(low), math.log(high), repeat).repeat_interleave(coeffs)[:order]
    a = torch.full((order,), math.log(math.exp(0.5) - 1))
    w = math.pi * torch.arange(coeffs).float().repeat(repeat)[:order]
    # B u is scaled so that every state has about unit variance for white input: dt B ~ sqrt(1 - |lambda|^2)
    gain = torch.sqrt(1 - torch.exp(-dt.exp()))[:, None] / dt.exp()[:, None]
    B = normal(order, C) * gain / math.sqrt(C)
    return {"log_dt": dt, "A": torch.stack([a, w], 1), "B": B, "C": normal(d, order) * math.sqrt(1 / order)}


# --- ops -------------------------------------------------------------------------------------------------------------

def reshape(x, node, get, shapes):
    x = x[0]
    S, P, C = shapes[node["in"][0]]
    s, p, c = node["shape"]
    T, B = x.shape[:2]
    if S == s:
        return x.reshape(T, B, p, c)
    return x.reshape(T // S, S, B, P, C).transpose(1, 2).reshape(T // S, B, s, p, c).transpose(1, 2).reshape(T // S * s, B, p, c)


def linear(x, node, get, shapes):
    return F.linear(x[0], get("weight"), get("bias"))


def bandconv(x, node, get, shapes):
    k, s = node["taps"], node.get("stride", 1)
    left, right = node.get("pad", [0, 0])
    padded = F.pad(x[0], (0, 0, left, right))
    Q = (padded.shape[2] - k) // s + 1
    columns = torch.cat([padded[:, :, j:j + (Q - 1) * s + 1:s] for j in range(k)], -1)
    return F.linear(columns, get("weight").flatten(1), get("bias"))


def mix(x, node, get, shapes):
    x, weight = x[0], get("weight")
    T, B, P, C = x.shape
    G = weight.shape[0]
    if G == 1:
        y = torch.matmul(weight[0], x)
    else:
        y = torch.matmul(weight, x.reshape(T, B, P, G, C // G).transpose(2, 3))  # (T,B,G,Q,C/G)
        y = y.transpose(2, 3).reshape(T, B, -1, C)
    bias = get("bias")
    return y if bias is None else y + bias[:, None]


def conv(x, node, get, shapes):
    x, weight, bias = x[0], get("weight"), get("bias")
    k, m = weight.shape[:2]
    a = node.get("lookahead", 0)
    half = (m - 1) // 2
    T, _, P, _ = x.shape
    padded = F.pad(x, (0, 0, half, half, 0, 0, k - 1 - a, a))
    y = sum(weight[j, i] * padded[j:j + T, :, i:i + P] for j in range(k) for i in range(m))
    return y if bias is None else y + bias


def ssm(x, node, get, shapes):
    u = x[0]
    T, batch, P, _ = u.shape
    B, C, A = get("B"), get("C"), get("A")
    dt = get("log_dt").exp()
    decay, turn = dt * F.softplus(A[:, 0]), dt * A[:, 1]
    flat = u.reshape(T * batch * P, -1)
    streams = lambda rows: torch.matmul(rows * dt[:, None], flat.t()).reshape(-1, T, batch * P)
    if B.dim() == 2:
        re = scan(streams(B), decay, turn, imaginary=C.dim() == 3)
        re, im = re if C.dim() == 3 else (re, None)
    else:
        a, b = scan(streams(B[..., 0]), decay, turn, imaginary=True)
        c, d = scan(streams(B[..., 1]), decay, turn, imaginary=True)
        re, im = a - d, b + c
    read = lambda rows, state: torch.matmul(state.reshape(state.shape[0], -1).t(), rows.t())
    y = read(C, re) if C.dim() == 2 else read(C[..., 0], re) - read(C[..., 1], im)
    D = get("D")
    if D is not None:
        y = y + (flat * D if D.dim() == 1 else flat @ D.t())
    return y.reshape(T, batch, P, -1)


def norm(x, node, get, shapes):
    x, eps = x[0], node.get("eps", 1e-5)
    if not x.is_cuda:
        return F.layer_norm(x, x.shape[-1:], get("weight"), get("bias"), eps)
    centred = x - x.mean(-1, keepdim=True)      # PyTorch's CUDA layer norm takes 11 ms where this takes 1 for rows of 24
    return centred * torch.rsqrt(centred.square().mean(-1, keepdim=True) + eps) * get("weight") + get("bias")


def affine(x, node, get, shapes):
    y, bias = get("weight") * x[0], get("bias")
    return y if bias is None else y + bias


def act(x, node, get, shapes):
    x = x[0]
    if node["kind"] == "prelu":
        return torch.where(x >= 0, x, get("weight") * x)
    return {"silu": F.silu, "relu": F.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}[node["kind"]](x)


def add(x, node, get, shapes):
    gain = get("gain")
    return x[0] + (x[1] if gain is None else gain * x[1])


def runs(index):
    """Successive indices as (first, count); -1 repeats as (-1, count)."""
    out = []
    for i in index:
        if out and (i == out[-1][0] + out[-1][1] if out[-1][0] >= 0 else i < 0):
            out[-1][1] += 1
        else:
            out.append([i, 1])
    return out


def gather(x, node, get, shapes):
    x = x[0]
    nothing = torch.zeros_like(x[:, :, :1])
    parts = [x[:, :, i:i + n] if i >= 0 else nothing.expand(-1, -1, n, -1) for i, n in runs(node["index"])]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 2)


def frame(x, node, get, shapes):
    n = node["length"]
    stride = node.get("stride", shapes[node["in"][0]][0])
    samples = F.pad(x[0][:, :, 0, 0].t(), (n - stride, 0))
    return samples.unfold(1, n, stride).transpose(0, 1)[:, :, None]


def rfft(x, node, get, shapes):
    return torch.view_as_real(torch.fft.rfft(x[0][:, :, 0] * get("window")))


def irfft(x, node, get, shapes):
    wave = torch.fft.irfft(torch.view_as_complex(x[0].contiguous()))
    return (wave[..., -node["length"]:] * get("window"))[:, :, None]


def overlap(x, node, get, shapes):
    x = x[0][:, :, 0]
    T, B, m = x.shape
    S = shapes[node["in"][0]][0]
    stride = shapes[node["name"]][0] // S
    parts = F.pad(x, (0, -m % stride)).reshape(T, B, -1, stride)
    y = sum(F.pad(parts[:T - j, :, j], (0, 0, 0, 0, j, 0)) for j in range(parts.shape[2]))
    return y.transpose(1, 2).reshape(T * stride, B, 1, 1)


def logpower(x, node, get, shapes):
    return 0.5 * torch.log(x[0].square().sum(-1, keepdim=True) + node["eps"])


def compress(x, node, get, shapes):
    power = x[0].square().sum(-1, keepdim=True) + node["eps"]
    return x[0] * power ** ((node["exponent"] - 1) / 2)


def complex_filter(x, node, get, shapes):
    spectrum, M = x
    T = spectrum.shape[0]
    y = 0
    for i in range(node.get("taps", 1)):
        past = F.pad(spectrum, (0, 0, 0, 0, 0, 0, i, 0))[:T]
        a, b = past.unbind(-1)
        c, d = M[..., 2 * i], M[..., 2 * i + 1]
        y = y + torch.stack([a * c - b * d, a * d + b * c], -1)
    return y


OPS = {
    "reshape": reshape, "linear": linear, "bandconv": bandconv, "mix": mix, "conv": conv, "ssm": ssm, "norm": norm,
    "affine": affine, "act": act,
    "glu": lambda x, n, get, s: F.glu(x[0]), "add": add, "mul": lambda x, n, get, s: x[0] * x[1],
    "slice": lambda x, n, get, s: x[0][..., n["from"]:n["to"]], "concat": lambda x, n, get, s: torch.cat(x, -1),
    "gather": gather, "frame": frame, "rfft": rfft, "irfft": irfft, "overlap": overlap, "logpower": logpower,
    "compress": compress, "filter": complex_filter,
}

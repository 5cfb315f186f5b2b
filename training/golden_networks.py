"""The networks of the golden vectors as graphs (quantize/CHECKPOINT.md): whole ones of four shapes, and one per op.

`WHOLE` and `SINGLE` hold {name: (configuration, options of the drawn tensors)}.
"""
from .shapes import Graph, paper


class Drawn(Graph):
    """A graph whose nodes also say which optional tensors to draw."""

    def __init__(self, name, rate, hop, out_rate=None, out_hop=None):
        super().__init__(name, rate, hop, out_rate, out_hop)
        self.options = {}

    def add(self, name, op, *inputs, wanted=(), **attributes):
        self.options[name] = wanted
        return super().add(name, op, *inputs, **attributes)

    def done(self):
        return self.config, self.options


# --- whole networks --------------------------------------------------------------------------------------------------

def small_paper(name, lookahead):
    """The paper's topology with its depths and factors, few channels and states."""
    config = paper(name, channels=(4, 6, 8, 10, 12, 16), factors=(4, 4, 2, 2, 2, 2), coeffs=4, repeat=3,
                   encoder=lookahead, neck=lookahead, decoder=lookahead)
    return config, {node["name"]: ("bias",) for node in config["graph"] if node["op"] == "conv"}


def residual():
    """Residual branches with gains, D, complex B and C, glu, prelu, tanh; centred pre-conv above a patch of three."""
    g = Drawn("residual", 16000, 96)
    x = g.add("group", "reshape", "input", shape=[24, 1, 4])
    x = g.add("encode", "linear", x, channels=13, wanted=("bias",))
    y = g.add("first_norm", "norm", x)
    y = g.add("first_pre", "conv", y, taps=3, lookahead=1, wanted=("bias",))
    y = g.add("first_ssm", "ssm", y, channels=13, order=10, wanted=("complex B", "complex C", "diagonal D"))
    y = g.add("first_act", "act", y, kind="silu")
    y = g.add("first_mlp", "linear", y, channels=13, wanted=("bias",))
    x = skip = g.add("first", "add", x, y, wanted=("gains",))
    y = g.add("second_norm", "norm", x)
    y = g.add("second_ssm", "ssm", y, channels=26, order=7, wanted=("complex C", "full D"))
    y = g.add("second_glu", "glu", y)
    x = g.add("second", "add", x, y, wanted=("gain",))
    x = g.add("patch_group", "reshape", x, shape=[8, 1, 39])
    x = g.add("patch", "linear", x, channels=20)
    y = g.add("third_pre", "conv", x, taps=4)
    y = g.add("third_ssm", "ssm", y, channels=20, order=9, wanted=("complex B",))
    y = g.add("third_act", "act", y, kind="prelu")
    x = g.add("third", "add", x, y)
    x = g.add("unpatch", "linear", x, channels=39)
    x = g.add("unpatch_split", "reshape", x, shape=[24, 1, 13])
    x = g.add("joined", "add", x, skip, wanted=("gain",))
    y = g.add("gate", "linear", x, channels=4, wanted=("bias",))
    y = g.add("gate_act", "act", y, kind="tanh")
    x = g.add("decode", "linear", x, channels=4)
    x = g.add("gated", "mul", x, y)
    x = g.add("samples", "reshape", x, shape=[96, 1, 1])
    g.add("output", "add", "input", x, wanted=("gain",))
    return g.done()


def unequal():
    """4 kHz in, 16 kHz out, 16 ms hops; knows of lost packets."""
    g = Drawn("unequal", 4000, 64, 16000, 256)
    x = g.add("group", "reshape", "input", shape=[16, 1, 4])
    lost = g.add("lost", "gather", "flag", index=[0, -1] * 8)
    lost = g.add("lost_steps", "reshape", lost, shape=[16, 1, 1])
    x = g.add("with_flag", "concat", x, lost)
    x = g.add("encode", "linear", x, channels=11, wanted=("bias",))
    skip = x
    x = g.add("norm", "norm", x)
    x = g.add("ssm", "ssm", x, channels=11, order=12, wanted=("complex C", "diagonal D"))
    x = g.add("act", "act", x, kind="silu")
    x = g.add("joined", "add", x, skip)
    x = g.add("wide", "linear", x, channels=24, wanted=("bias",))
    x = g.add("bands", "reshape", x, shape=[16, 8, 3])
    x = g.add("folded", "gather", x, index=[7, 3, -1, 0, 1, 2, 3, 4, 5, 6, 7, 7])
    x = g.add("folded_act", "act", x, kind="relu")
    x = g.add("unfolded", "reshape", x, shape=[16, 1, 36])
    x = g.add("decode", "linear", x, channels=16)
    g.add("output", "reshape", x, shape=[256, 1, 1])
    return g.done()


def spectral_mask():
    """A filter per bin from band features over time: frames of 512 every 128, one frame of look-ahead."""
    g = Drawn("spectral", 16000, 128)
    x = g.add("frame", "frame", "input", length=512)
    spectrum = g.add("spectrum", "rfft", x)
    level = g.add("level", "logpower", spectrum, eps=1e-8)
    level = g.add("level_scaled", "affine", level, wanted=("bias",))
    phase = g.add("phase", "compress", spectrum, exponent=0.3, eps=1e-8)
    x = g.add("features", "concat", level, phase)
    x = g.add("encode", "bandconv", x, channels=6, taps=5, stride=4, pad=[2, 2], wanted=("bias",))  # 65 bands
    x = g.add("encode_norm", "norm", x)
    x = g.add("encode_act", "act", x, kind="silu")
    y = g.add("pre", "conv", x, taps=3, lookahead=1, bands=3, wanted=("bias",))
    y = g.add("ssm", "ssm", y, channels=12, order=6, wanted=("complex C",))
    y = g.add("glu", "glu", y)
    x = g.add("first", "add", x, y, wanted=("gain",))
    y = g.add("mixed", "mix", x, positions=65, groups=2, wanted=("bias",))
    y = g.add("mixed_act", "act", y, kind="silu")
    x = g.add("second", "add", x, y)
    x = g.add("spread", "mix", x, positions=257, groups=1)
    x = g.add("head", "linear", x, channels=6, wanted=("bias",))
    x = g.add("filtered", "filter", spectrum, x, taps=3)
    x = g.add("wave", "irfft", x, length=256)
    g.add("output", "overlap", x)
    return g.done()


WHOLE = {
    "paper-centred": lambda: small_paper("paper-centred", 1),
    "paper-causal": lambda: small_paper("paper-causal", 0),
    "residual": residual,
    "unequal": unequal,
    "spectral": spectral_mask,
}


# --- one op each -----------------------------------------------------------------------------------------------------

HOP = 60


def around(op, shape, wanted=(), **attributes):
    """Samples as (steps, positions, channels) -> the op; a linear at each end fits the sizes and makes channels differ."""
    steps, P, C = shape
    g = Drawn("", 16000, HOP)
    x = g.add("group", "reshape", "input", shape=[steps, 1, HOP // steps])
    x = g.add("widen", "linear", x, channels=P * C, wanted=("bias",))
    x = g.add("shaped", "reshape", x, shape=[steps, P, C])
    x = g.add("op", op, x, wanted=wanted, **attributes)
    return close(g, x, steps, result_size(op, P, C, attributes))


def result_size(op, P, C, attributes):
    if op == "bandconv":
        left, right = attributes.get("pad", (0, 0))
        P = (P + left + right - attributes["taps"]) // attributes.get("stride", 1) + 1
    if op == "gather":
        P = len(attributes["index"])
    if op == "glu":
        C //= 2
    if op == "logpower":
        C = 1
    if op == "slice":
        C = attributes["to"] - attributes["from"]
    return attributes.get("positions", P) * attributes.get("channels", C)


def close(g, x, steps, size):
    x = g.add("flat", "reshape", x, shape=[steps, 1, size])
    x = g.add("shrink", "linear", x, channels=HOP // steps)
    g.add("output", "reshape", x, shape=[HOP, 1, 1])
    return g.done()


def joined(op, steps, C, wanted=(), **attributes):
    """Two linears of the same samples into one op."""
    g = Drawn("", 16000, HOP)
    x = g.add("group", "reshape", "input", shape=[steps, 1, HOP // steps])
    a = g.add("a", "linear", x, channels=C)
    b = g.add("b", "linear", x, channels=C)
    g.add("op", op, a, b, wanted=wanted, **attributes)
    return close(g, "op", steps, C)


def loud_act(kind, fused):
    """Values to about +-30, straight after a linear or with an affine between, which no compiler can fold in."""
    g = Drawn("", 16000, HOP)
    x = g.add("group", "reshape", "input", shape=[12, 1, 5])
    x = g.add("widen", "linear", x, channels=7, wanted=("bias",))
    if not fused:
        x = g.add("scaled", "affine", x, wanted=("bias",))
    x = g.add("op", "act", x, kind=kind)
    return close(g, x, 12, 7)


def three_joined():
    g = Drawn("", 16000, HOP)
    x = g.add("group", "reshape", "input", shape=[12, 5, 1])
    a = g.add("a", "linear", x, channels=3)
    b = g.add("b", "linear", x, channels=1)
    g.add("op", "concat", a, x, b)
    return close(g, "op", 12, 25)


def framed(length, stride):
    """Frames and back: overlap of what is no multiple of the stride."""
    g = Drawn("", 16000, HOP)
    x = g.add("frames", "frame", "input", length=length, stride=stride)
    x = g.add("turn", "linear", x, channels=max(stride, length - 1))
    g.add("output", "overlap", x, stride=stride)
    return g.done()


def transformed(n, m, hop):
    g = Drawn("", 16000, hop)
    x = g.add("frames", "frame", "input", length=n)
    x = g.add("spectrum", "rfft", x)
    x = g.add("turned", "linear", x, channels=2)  # also fills the imaginary parts of both end bins
    x = g.add("weighted", "affine", x, wanted=("bias", "positions"))  # or a spectrum back to front would not show
    x = g.add("wave", "irfft", x, length=m)
    g.add("output", "overlap", x)
    return g.done()


def filtered(taps, stride=32):
    g = Drawn("", 16000, 32)
    x = g.add("frames", "frame", "input", length=64, stride=stride)
    spectrum = g.add("spectrum", "rfft", x)
    x = g.add("head", "linear", spectrum, channels=2 * taps, wanted=("bias",))
    x = g.add("filtered", "filter", spectrum, x, taps=taps)
    x = g.add("wave", "irfft", x, length=64)
    g.add("output", "overlap", x, stride=stride)
    return g.done()


def far_ahead():
    """Look-ahead of more than a hop, so that the other path waits longer than one."""
    g = Drawn("", 16000, HOP)
    x = g.add("group", "reshape", "input", shape=[12, 1, 5])
    y = g.add("ahead", "conv", x, taps=3, lookahead=29, wanted=("bias",))
    x = g.add("sum", "add", x, y)
    return close(g, x, 12, 5)


def spectrum_feature(op, **attributes):
    g = Drawn("", 16000, 32)
    x = g.add("frames", "frame", "input", length=32)
    x = g.add("spectrum", "rfft", x)
    x = g.add("op", op, x, **attributes)
    x = g.add("flat", "reshape", x, shape=[1, 1, 17 if op == "logpower" else 34])
    x = g.add("shrink", "linear", x, channels=32)
    g.add("output", "reshape", x, shape=[32, 1, 1])
    return g.done()


def flagged():
    g = Drawn("", 16000, HOP)
    lost = g.add("lost", "gather", "flag", index=[0] * HOP)
    lost = g.add("lost_samples", "reshape", lost, shape=[HOP, 1, 1])
    x = g.add("marked", "conv", "input", taps=2, lookahead=1)  # the flag must wait for the look-ahead
    x = g.add("sum", "add", x, lost, wanted=("gain",))
    g.add("output", "linear", x, channels=1)
    return g.done()


def meeting():
    """Paths of different look-ahead meet at different rates: delays before a patch, before an add, before frames."""
    g = Drawn("", 16000, HOP)
    a = g.add("a", "conv", "input", taps=5, lookahead=3, wanted=("bias",))
    x = g.add("group", "reshape", a, shape=[12, 1, 5])
    b = g.add("b", "linear", x, channels=5, wanted=("bias",))
    c = g.add("c", "conv", b, taps=3, lookahead=2)
    d = g.add("d", "add", b, c)
    d = g.add("d_samples", "reshape", d, shape=[HOP, 1, 1])
    e = g.add("e", "add", d, "input", wanted=("gain",))
    x = g.add("frames", "frame", e, length=30, stride=20)
    x = g.add("turn", "linear", x, channels=30)
    x = g.add("back", "overlap", x, stride=20)
    g.add("output", "linear", x, channels=1)
    return g.done()


BOTH = ("complex B", "complex C")
SINGLE = {
    "linear-1x1": lambda: around("linear", (60, 1, 1), channels=1),
    "linear-odd": lambda: around("linear", (12, 1, 5), ("bias",), channels=7),
    "linear-bands": lambda: around("linear", (2, 3, 5), ("bias",), channels=9),
    "linear-one-step": lambda: around("linear", (1, 1, 61), channels=35),
    "linear-three-steps": lambda: around("linear", (3, 1, 6), ("bias",), channels=4),
    "bandconv": lambda: around("bandconv", (4, 9, 3), ("bias",), channels=5, taps=3, pad=[1, 1]),
    "bandconv-stride": lambda: around("bandconv", (2, 17, 2), channels=6, taps=5, stride=4, pad=[2, 1]),
    "bandconv-uneven": lambda: around("bandconv", (3, 8, 1), ("bias",), channels=1, taps=4, stride=3, pad=[0, 2]),
    "mix": lambda: around("mix", (4, 7, 5), ("bias",), positions=9),
    "mix-groups": lambda: around("mix", (3, 5, 6), positions=4, groups=3),
    "mix-wide": lambda: around("mix", (2, 6, 13), ("bias",), positions=7),
    "mix-own-groups": lambda: around("mix", (2, 6, 7), ("bias",), positions=6, groups=7),
    "conv-causal": lambda: around("conv", (12, 1, 5), ("bias",), taps=3),
    "conv-centred": lambda: around("conv", (12, 1, 5), ("bias",), taps=3, lookahead=1),
    "conv-ahead": lambda: around("conv", (4, 1, 6), taps=2, lookahead=9),
    "conv-bands": lambda: around("conv", (4, 7, 3), ("bias",), taps=5, lookahead=2, bands=3),
    "conv-one-step": lambda: around("conv", (1, 2, 5), ("bias",), taps=6, lookahead=2),
    "conv-far-ahead": far_ahead,
    "conv-one-tap": lambda: around("conv", (6, 4, 2), taps=1, bands=5),
    "ssm-real": lambda: around("ssm", (12, 1, 5), channels=5, order=5),
    "ssm-complex-b": lambda: around("ssm", (12, 1, 3), ("complex B",), channels=7, order=6),
    "ssm-complex-c": lambda: around("ssm", (12, 1, 3), ("complex C",), channels=2, order=9),
    "ssm-complex": lambda: around("ssm", (6, 1, 4), (*BOTH, "full D"), channels=5, order=8),
    "ssm-diagonal": lambda: around("ssm", (6, 1, 5), ("diagonal D",), channels=5, order=3),
    "ssm-bands": lambda: around("ssm", (3, 5, 3), (*BOTH, "diagonal D"), channels=3, order=6),
    "ssm-one-channel": lambda: around("ssm", (60, 1, 1), channels=1, order=1),
    "ssm-one-channel-wide": lambda: around("ssm", (60, 1, 1), channels=1, order=33),
    "ssm-one-step": lambda: around("ssm", (1, 1, 9), channels=11, order=17),
    "norm": lambda: around("norm", (12, 1, 5)),
    "norm-two": lambda: around("norm", (6, 3, 2), eps=1e-3),
    "norm-wide": lambda: around("norm", (2, 1, 131), eps=1e-6),
    "affine": lambda: around("affine", (4, 3, 5), ("bias",)),
    "affine-positions": lambda: around("affine", (4, 3, 5), ("bias", "positions")),
    "affine-scale": lambda: around("affine", (4, 3, 5), ("positions",)),
    **{f"act-{kind}": lambda kind=kind: loud_act(kind, False) for kind in ("silu", "relu", "sigmoid", "tanh", "prelu")},
    **{f"act-{kind}-fused": lambda kind=kind: loud_act(kind, True) for kind in ("silu", "relu", "sigmoid", "tanh")},
    "glu": lambda: around("glu", (12, 1, 6)),
    "add": lambda: joined("add", 12, 7),
    "add-gain": lambda: joined("add", 12, 7, ("gain",)),
    "add-gains": lambda: joined("add", 12, 7, ("gains",)),
    "mul": lambda: joined("mul", 12, 7),
    "slice": lambda: around("slice", (6, 2, 7), **{"from": 2, "to": 5}),
    "concat": three_joined,
    "gather": lambda: around("gather", (4, 5, 3), index=[4, -1, 0, 0, 3, -1, 2]),
    "frame-overlap": lambda: framed(30, 20),
    "frame-overlap-uneven": lambda: framed(47, 12),
    "frame-plain": lambda: framed(60, 60),
    "rfft-16": lambda: transformed(16, 16, 8),
    "rfft-32": lambda: transformed(32, 24, 8),
    "rfft-uneven": lambda: transformed(32, 21, 8),
    "rfft-512": lambda: transformed(512, 256, 128),
    "rfft-4096": lambda: transformed(4096, 1024, 512),
    "logpower": lambda: spectrum_feature("logpower", eps=1e-8),
    "compress": lambda: spectrum_feature("compress", exponent=0.3, eps=1e-6),
    "compress-expand": lambda: spectrum_feature("compress", exponent=1.5, eps=1e-3),
    "filter": lambda: filtered(1),
    "filter-taps": lambda: filtered(3),
    "filter-steps": lambda: filtered(4, 8),
    "flag": flagged,
    "meeting": meeting,
}

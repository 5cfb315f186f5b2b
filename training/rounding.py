"""Weights as the compiler will round them, with a straight-through gradient (Bengio, Leonard and Courville, arXiv 1308.3432).

int8: one scale per row, int4: one per 32 columns of a row (quantize/FORMAT.md); mixing over bands stays int8, and an op with a row too
long for int8 stays f32. Here to the nearest integer; the compiler then rounds what was trained for least error at each layer's output.
"""
import torch

INT4_GROUP = 32
MAX_INT8_COLUMNS = 516           # more products of int8 and int16 may overflow 32 bits
MATRICES = {"linear": ("weight",), "bandconv": ("weight",), "mix": ("weight",), "ssm": ("B", "C")}
FORMATS = ("int8", "int4")


def rounded(get, op, name, form):
    """Tensor `name` of an op as `form` stores it, any shape; the gradient passes as if nothing had been done.

    get: the op's tensors by name."""
    w = get(name)
    if name not in MATRICES.get(op, ()) or (form := stored(get, op, form)) == "f32":
        return w
    with torch.no_grad():
        level = state_levels(get) if name == "C" else 1.0
        level = level[:, None] if w.dim() == 3 and name == "C" else level
        rows = as_rows(w * level, op, name)
        near = nearest(rows.reshape(-1, rows.shape[-1]), form).reshape(rows.shape)
        step = from_rows(near, w, op, name) / level - w
    return w + step


def stored(get, op, form):
    """The format that an op's matrices get, all the same, where `form` is asked for."""
    form = "int8" if op == "mix" else form
    longest = max(as_rows(get(m), op, m).shape[-1] for m in MATRICES[op])
    return "f32" if form == "int8" and longest > MAX_INT8_COLUMNS else form


def state_levels(get):
    """(N,) power of two near each state's RMS for white input: columns of C share scales, so the compiler levels the states."""
    decay = torch.exp(get("log_dt")) * torch.nn.functional.softplus(get("A")[:, 0])
    power = get("B").flatten(1).square().sum(1) * torch.exp(2 * get("log_dt")) / (1 - torch.exp(-2 * decay))
    return torch.exp2(torch.round(0.5 * torch.log2(power + 1e-30)))


def as_rows(w, op, name):
    """The last axis is what a row of the compiled matrix multiplies: parts of a complex B are rows of their own, those of a complex C
    halves of one row, each filled up to a multiple of four states."""
    if op == "ssm" and w.dim() == 3:
        return w.movedim(2, 0) if name == "B" else torch.nn.functional.pad(w.movedim(2, 1), (0, -w.shape[1] % 4)).flatten(1)
    return w if op in ("ssm", "mix") else w.flatten(1)


def from_rows(rows, w, op, name):
    if op == "ssm" and w.dim() == 3:
        return rows.movedim(0, 2) if name == "B" else rows.unflatten(1, (2, -1))[..., :w.shape[1]].movedim(1, 2)
    return rows.reshape(w.shape)


def nearest(w, form):
    """(rows, columns) to the nearest multiple of its scale."""
    width, largest = (w.shape[1], 127) if form == "int8" else (INT4_GROUP, 7)
    padded = torch.nn.functional.pad(w, (0, -w.shape[1] % width)).reshape(w.shape[0], -1, width)
    scale = (padded.abs().amax(-1, keepdim=True) / largest).clamp(min=1e-12)
    return (torch.round(padded / scale) * scale).flatten(1)[:, :w.shape[1]]

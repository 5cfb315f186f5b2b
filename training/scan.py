"""The recurrence of a diagonal SSM over a whole sequence, as a two-level chunked scan of matrix products.

v (N, T, R): B u for N states over T steps of R independent streams. Returns Re(x) or (Re(x), Im(x)), x (N, T, R), with
x[t] = lambda x[t-1] + v[t]. Within a chunk: a Toeplitz product; between chunks: the same over chunk ends.
"""
import torch


def powers(decay, turn, exponents):
    """lambda^k as (Re, Im) for lambda = exp(-decay + i turn); exponents (...) -> (N, ...)."""
    shape = (-1,) + (1,) * exponents.dim()
    magnitude = torch.exp(-decay.view(shape) * exponents)
    angle = turn.view(shape) * exponents
    return magnitude * torch.cos(angle), magnitude * torch.sin(angle)


def toeplitz(decay, turn, size, stride, device):
    """Lower triangular (N, size, size) of lambda^(stride (i - j)), as (Re, Im)."""
    i = torch.arange(size, device=device, dtype=decay.dtype)
    lags = i[:, None] - i[None, :]
    re, im = powers(decay, turn, lags.clamp(min=0) * stride)
    causal = (lags >= 0).to(decay.dtype)
    return re * causal, im * causal


def chunk_length(T, limit):
    """The largest divisor of T that is at most `limit`."""
    return max(q for q in range(1, min(T, limit) + 1) if T % q == 0)


def scan(v, decay, turn, imaginary=False):
    N, T, R = v.shape
    q = chunk_length(T, 512 if T <= 512 else 128)
    j = T // q
    re, im = toeplitz(decay, turn, q, 1, v.device)
    if j == 1:
        x = torch.bmm(re, v)
        return (x, torch.bmm(im, v)) if imaginary else x

    chunks = v.reshape(N, j, q, R).transpose(1, 2).reshape(N, q, j * R)     # time within the chunk first: plain products
    exponents = torch.arange(q, device=v.device, dtype=v.dtype)
    end = torch.stack(powers(decay, turn, q - 1 - exponents), 1)            # a chunk's part of the state at its end
    ends_re, ends_im = torch.bmm(end, chunks).reshape(N, 2, j, R).unbind(1)
    carry_re, carry_im = toeplitz(decay, turn, j, q, v.device)
    state_re = torch.bmm(carry_re, ends_re) - torch.bmm(carry_im, ends_im)
    state_im = torch.bmm(carry_re, ends_im) + torch.bmm(carry_im, ends_re)
    before = torch.stack([state_re, state_im], 1)                           # state at the end of the chunk before
    before = torch.cat([torch.zeros_like(before[:, :, :1]), before[:, :, :-1]], 2).reshape(N, 2, j * R)
    on_re, on_im = powers(decay, turn, exponents + 1)
    in_time = lambda x: x.reshape(N, q, j, R).transpose(1, 2).reshape(N, T, R)
    x = torch.bmm(re, chunks) + torch.bmm(torch.stack([on_re, -on_im], 2), before)
    if not imaginary:
        return in_time(x)
    y = torch.bmm(im, chunks) + torch.bmm(torch.stack([on_im, on_re], 2), before)
    return in_time(x), in_time(y)

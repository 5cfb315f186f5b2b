"""Differentiable short-time objective intelligibility (STOI; Taal, Hendriks, Heusdens and Jensen, IEEE TASL 2011) as a loss.

In: estimate and target, (B, samples) at 16 kHz, any level. Out: 1 - STOI, averaged over the items that speak. Measured at the
signals' own rate in frames of 32 ms, where the paper takes 25.6 ms at 10 kHz; silent segments are left out, not silent frames.
"""
import torch
from torch import nn

RATE, FRAME, HOP = 16000, 512, 256
BANDS, LOWEST_HZ = 15, 150.0
SEGMENT = 24                     # frames, 384 ms
CLIP = 1 + 10 ** (15 / 20)       # an estimate is cut 15 dB over the target
RANGE = 1e-4                     # segments 40 dB below the loudest say nothing
SILENCE = 1e-8                   # mean square of a target that says nothing


class IntelligibilityLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(FRAME), persistent=False)
        self.register_buffer("bands", third_octaves(), persistent=False)

    def forward(self, estimate, target):
        x, y = self.segments(target), self.segments(estimate)             # (B, bands, segments, SEGMENT)
        energy = lambda s: s.square().sum(-1, keepdim=True)
        y = torch.minimum(y * ((energy(x) + 1e-12) / (energy(y) + 1e-12)).sqrt(), CLIP * x)
        xc, yc = x - x.mean(-1, keepdim=True), y - y.mean(-1, keepdim=True)
        alike = (xc * yc).sum(-1) / ((xc.square().sum(-1) + 1e-10) * (yc.square().sum(-1) + 1e-10)).sqrt()
        loud = energy(x)[..., 0].sum(1)                                    # (B, segments)
        said = (loud > RANGE * loud.amax(1, keepdim=True)).float() * (target.square().mean(-1, keepdim=True) > SILENCE)
        return ((1 - alike.mean(1)) * said).sum() / said.sum().clamp(min=1)

    def segments(self, x):
        scale = 1 / x.square().mean(-1, keepdim=True).clamp(min=1e-10).sqrt()
        X = torch.view_as_real(torch.stft(x * scale, FRAME, HOP, window=self.window, center=False, return_complex=True))
        power = X.square().sum(-1).transpose(1, 2) @ self.bands            # (B, frames, bands)
        return (power + 1e-6).sqrt().transpose(1, 2).unfold(2, SEGMENT, 1)


def third_octaves():
    """(bins, bands) of zeros and ones: 15 bands, the lowest around 150 Hz."""
    f = torch.arange(FRAME // 2 + 1) * RATE / FRAME
    centre = LOWEST_HZ * 2 ** (torch.arange(BANDS) / 3)
    return ((f[:, None] >= centre * 2 ** (-1 / 6)) & (f[:, None] < centre * 2 ** (1 / 6))).float()

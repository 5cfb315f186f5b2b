"""Training losses: compressed spectra at several resolutions, SI-SDR, a loudness-domain term that tracks PESQ, and STOI.

All take (B, samples) at 16 kHz and are independent of the level of the mixture.
"""
import torch
from torch import nn
from .intelligibility import IntelligibilityLoss
from .loudness import LoudnessLoss

RESOLUTIONS = (256, 512, 1024)
LOST = 1.0                       # what is lost of the speech costs that much more than what is left of the noise


class DenoisingLoss(nn.Module):
    def __init__(self, loudness_weight=0.5, sisdr_weight=0.06, intelligibility_weight=4.0):
        super().__init__()
        for n in RESOLUTIONS:
            self.register_buffer(f"window{n}", torch.hann_window(n))
        self.loudness, self.intelligibility = LoudnessLoss(), IntelligibilityLoss()
        self.loudness_weight, self.sisdr_weight, self.intelligibility_weight = loudness_weight, sisdr_weight, intelligibility_weight

    def forward(self, estimate, clean, noisy):
        """-> (total, {name: value}) averaged over the batch."""
        scale = 0.1 / noisy.square().mean(-1, keepdim=True).clamp(min=1e-10).sqrt()
        y, t = estimate * scale, clean * scale
        spectral = sum(self.spectral(y, t, getattr(self, f"window{n}")) for n in RESOLUTIONS) / len(RESOLUTIONS)
        ratio = sisdr(y, t)
        loud = self.loudness.loss(estimate, clean)
        unclear = self.intelligibility(estimate, clean)
        total = 30 * spectral - self.sisdr_weight * ratio + self.loudness_weight * loud + self.intelligibility_weight * unclear
        parts = {"spectral": spectral, "sisdr": ratio, "loudness": loud, "unclear": unclear}
        return total, {name: value.detach() for name, value in parts.items()}

    def spectral(self, y, t, window, power=0.3):
        """0.7 magnitude + 0.3 complex distance of compressed spectra; magnitudes that are too small weigh more."""
        n = window.numel()
        (yc, ym), (tc, tm) = (compressed(x, n, window, power) for x in (y, t))
        magnitude = (ym - tm).square() + LOST * (tm - ym).clamp(min=0).square()
        return 0.7 * magnitude.mean() + 0.3 * (yc - tc).square().sum(-1).mean()


def compressed(x, n, window, power):
    X = torch.view_as_real(torch.stft(x, n, n // 4, window=window, return_complex=True))
    energy = X.square().sum(-1, keepdim=True) + 1e-8
    return X * energy ** ((power - 1) / 2), energy[..., 0] ** (power / 2)


def sisdr(y, t, ceiling=25.0):
    """Scale-invariant SDR in dB (Le Roux et al. 2019), capped, mean over items with speech."""
    energy = t.square().sum(-1, keepdim=True)
    target = (y * t).sum(-1, keepdim=True) / (energy + 1e-7) * t
    ratio = (target.square().sum(-1) + 1e-7) / ((y - target).square().sum(-1) + 1e-7)
    value = (10 * torch.log10(ratio)).clamp(max=ceiling)
    active = (energy[:, 0] > 1e-3).float()
    return (value * active).sum() / active.sum().clamp(min=1)

"""Differentiable loudness-domain distance that tracks wideband PESQ (ITU-T P.862, P.862.2), for signals that are already aligned in time.

In: estimate and target, (B, samples) at 16 kHz, any level. Out: MOS-LQO estimate (B,), or a scalar loss. Written from the
Recommendations; as a loss see Martin-Donas et al. 2018 (PMSQE). Left out: delay search, realignment of bad stretches and
the time weights of files over 16 s.
"""
import math
import torch
from torch import nn
import torch.nn.functional as F

RATE, WINDOW, HOP = 16000, 512, 256
LEVEL = 1e7                      # mean square of both signals within LEVEL_BAND (P.862, 10.1.2)
LEVEL_BAND = ((300, 350), (3250, 3500))  # Hz, the skirts fall 500 dB
LEVEL_PADDING = 5120             # the Recommendation divides by this many samples more than there are
LIFT = 1e-4                      # an estimate is amplified at most as if it were 40 dB under the target
SILENCE = 1e-8                   # mean square of a target that says nothing (-80 dBFS)
HIGH_PASS = (2.740826, -5.4816519, 2.740826), (1.0, -1.9444777, 0.94597794)  # input filter of P.862.2, b and a
POWER_SCALE, LOUDNESS_SCALE = 6.910853e-6, 0.1866055  # S_p and S_l at 16 kHz
SECTION = 20                     # frames, 320 ms

# Per Bark band: FFT bins, width in Bark, power density correction, hearing threshold in dB (tables of P.862 for 16 kHz).
BINS = [1] * 8 + [2] + [1] * 5 + [2, 1, 1] + [2] * 8 + [3] * 4 + [4, 3, 4, 5, 4, 5, 6, 6, 7, 8, 9, 9, 12, 12, 15, 16, 18, 21, 25, 20]
BARK = [
    0.157344, 0.317994, 0.322441, 0.326934, 0.331474, 0.336061, 0.340697, 0.345381, 0.350114, 0.354897, 0.359729, 0.364611, 0.369544,
    0.374529, 0.379565, 0.384653, 0.389794, 0.394989, 0.400236, 0.405538, 0.410894, 0.416306, 0.421773, 0.427297, 0.432877, 0.438514,
    0.444209, 0.449962, 0.455774, 0.461645, 0.467577, 0.473569, 0.479621, 0.485736, 0.491912, 0.498151, 0.504454, 0.510819, 0.517250,
    0.523745, 0.530308, 0.536934, 0.543629, 0.550390, 0.557220, 0.564119, 0.571085, 0.578125, 0.585232]
DENSITY = [100] * 8 + [50] + [100] * 5 + [
    53.047077, 110.000046, 117.991989, 65, 68.760147, 69.999931, 71.428818, 75.000038, 76.843384, 80.968781, 88.646126, 63.864388,
    68.155350, 72.547775, 75.584831, 58.379192, 80.950836, 64.135651, 54.384785, 73.821884, 64.437073, 59.176456, 65.521278, 61.399822,
    58.144047, 57.004543, 64.126297, 54.311001, 61.114979, 55.077751, 56.849335, 55.628868, 53.137054, 54.985844, 79.546974]
THRESHOLD_DB = [
    77.1, 63.9, 48.5, 36.9, 30.7, 25.9, 20.2, 16.6, 12.5, 9.9, 6.9, 4.9, 2.8, 1.0, -0.1, -1.4, -2.5, -3.4, -4.1, -4.8, -5.3, -5.7, -5.9,
    -6.0, -6.0, -6.0, -6.0, -5.8, -5.4, -5.1, -4.7, -4.3, -4.0, -3.6, -3.3, -3.1, -3.0, -3.0, -2.9, -2.8, -2.8, -2.8, -2.9, -3.2, -3.7,
    -4.3, -4.4, -3.8, -2.7]


class LoudnessLoss(nn.Module):
    def __init__(self):
        super().__init__()
        bark = torch.tensor(BARK, dtype=torch.float64)
        centre = bark.cumsum(0) - bark / 2
        threshold = 10 ** (torch.tensor(THRESHOLD_DB, dtype=torch.float64) / 10)
        exponent = 0.23 * (6 / (centre + 2)).clamp(1, 2) ** 0.15           # Zwicker's, raised below 4 Bark
        fade = torch.arange(1, 16, dtype=torch.float64) / 16
        constants = dict(
            window=torch.hann_window(WINDOW, dtype=torch.float64), bands=band_matrix(), threshold=threshold, exponent=exponent,
            loud=LOUDNESS_SCALE * (2 * threshold) ** exponent,
            weight=bark * (torch.arange(49) > 0), width=bark[1:].sum(),    # band 0 counts nowhere
            fade=fade, memory=0.8 * 0.2 ** torch.arange(11, -1, -1, dtype=torch.float64)[None, None])
        for name, value in constants.items():
            self.register_buffer(name, value.float(), persistent=False)
        self.curves = {}

    def forward(self, estimate, target):
        """MOS-LQO (B,), P.862.2: about 1.04 to 4.64."""
        symmetric, asymmetric = self.disturbances(estimate, target)
        raw = 4.5 - 0.1 * symmetric - 0.0309 * asymmetric
        return 0.999 + 4 * torch.sigmoid(1.3669 * raw - 3.8224)

    def loss(self, estimate, target):
        """Drop of the raw score, averaged over the items whose target is not silent; 0 if all are."""
        symmetric, asymmetric = self.disturbances(estimate, target, leak=0.1)
        active = (target.float().square().mean(-1) > SILENCE).float()
        drop = 0.1 * symmetric + 0.0309 * asymmetric
        return (drop * active).sum() / active.sum().clamp(min=1)

    def disturbances(self, estimate, target, leak=0.0):
        """(symmetric, asymmetric), each (B,). `leak` is the slope above the ceiling of a frame: 0 is the Recommendation."""
        with torch.autocast(estimate.device.type, enabled=False):
            target, spread = self.levelled(target.float())
            estimate, _ = self.levelled(estimate.float(), floor=LIFT * spread)
            first, last = speech_frames(target)
            y, x = self.bark_power(estimate), self.bark_power(target)      # (B, frames, 49)
            x = self.compensate_response(x, y, last)
            audible = self.audible(x)
            y = y * self.gain(audible, self.audible(y))
            symmetric, asymmetric = self.frame_disturbances(x, y)
            importance = ((audible[..., 0] + 1e5) / 1e7) ** -0.04
            return tuple(over_time(ceiling(d * importance, leak), first, last) for d in (symmetric, asymmetric))

    def levelled(self, x, floor=0.0):
        """Both filters in one transform: signal at the standard level after the input filter, and its band power (B, 1)."""
        n = x.shape[1]
        size = transform_size(n + 1024)                                   # room for the filter's tail
        band, high_pass = self.responses(size, x.device)
        x = torch.cat([x[:, :15] * self.fade, x[:, 15:-15], x[:, -15:] * self.fade.flip(0)], 1)
        X = torch.view_as_real(torch.fft.rfft(x, size))
        power = (X.square().sum(-1) @ band)[:, None] / (n + LEVEL_PADDING)
        scale = torch.rsqrt(power + floor + 1e-12) * math.sqrt(LEVEL)
        X = torch.view_as_complex(X * (high_pass[:, None] * scale[:, :, None]))
        return torch.fft.irfft(X, size)[:, :n // HOP * HOP + HOP], power

    def responses(self, size, device):
        """Weights of |X|^2 for the power in the level band (bins,) and the magnitude of the input filter (bins,), cached."""
        key = size, device
        if key not in self.curves:
            f = torch.arange(size // 2 + 1, dtype=torch.float64) * RATE / size
            (a, b), (c, d) = LEVEL_BAND
            decibels = -500 * (((b - f) / (b - a)).clamp(0, 1) + ((f - c) / (d - c)).clamp(0, 1))
            band = 10 ** (decibels / 10) * 2 / size                       # Parseval, both halves of the spectrum
            w = 2 * math.pi * f / RATE
            squared = [sum(p[i] * p[j] * torch.cos((i - j) * w) for i in range(3) for j in range(3)) for p in HIGH_PASS]
            high_pass = (squared[0].clamp(min=0) / squared[1]).sqrt()
            self.curves[key] = band.float().to(device), high_pass.float().to(device)
        return self.curves[key]

    def bark_power(self, x):
        """(B, samples) -> power per Bark band (B, frames, 49)."""
        X = torch.view_as_real(torch.stft(x, WINDOW, HOP, window=self.window, center=False, return_complex=True))
        return X.square().sum(-1).transpose(1, 2) @ self.bands

    def audible(self, power, factor=1.0):
        """Power of a frame above the threshold of hearing, without band 0, (B, frames, 1)."""
        heard = (power > factor * self.threshold) & (self.weight > 0)
        return (power * heard).sum(-1, keepdim=True)

    def compensate_response(self, x, y, last):
        """The target takes on the estimate's mean frequency response, within 20 dB (P.862, 10.2.5)."""
        frames = torch.arange(x.shape[1], device=x.device)[:, None]
        counted = (self.audible(x, 100) >= 1e7) & (frames <= last[:, None, None])
        mean = lambda p: (p * (counted & (p > 100 * self.threshold))).sum(1, keepdim=True) / (x.shape[1] + LEVEL_PADDING // HOP - 1)
        return x * ((mean(y) + 1000) / (mean(x) + 1000)).clamp(0.01, 100)

    def gain(self, wanted, given):
        """Short-term gain of the estimate, smoothed with a pole at 0.2 (P.862, 10.2.7), (B, frames, 1)."""
        ratio = ((wanted + 5e3) / (given + 5e3)).transpose(1, 2)
        smooth = F.conv1d(F.pad(ratio, (self.memory.shape[-1] - 1, 0), mode="replicate"), self.memory)
        return smooth.clamp(3e-4, 5).transpose(1, 2)

    def loudness(self, power):
        """Zwicker's law, zero under the threshold of hearing."""
        return self.loud * ((0.5 + 0.5 * (power / self.threshold).clamp(min=1)) ** self.exponent - 1)

    def frame_disturbances(self, x, y):
        """Symmetric and asymmetric disturbance of every frame, (B, frames)."""
        a, b = self.loudness(x), self.loudness(y)
        difference = (b - a).abs()
        audible = F.relu(difference - 0.25 * torch.minimum(a, b)) * self.weight    # masking: the dead zone
        symmetric = torch.sqrt(self.width * audible.square().sum(-1) + 1e-8)
        factor = ((y + 50) / (x + 50)) ** 1.2
        factor = factor.clamp(max=12) * (factor >= 3)                              # what was added hurts more
        return symmetric, (audible * factor).sum(-1)


def band_matrix():
    """Sums of FFT bins scaled to power density, (257, 49); the constant and the Nyquist bin are left out."""
    owner = torch.repeat_interleave(torch.arange(49), torch.tensor(BINS))
    matrix = torch.zeros(WINDOW // 2 + 1, 49, dtype=torch.float64)
    matrix[torch.arange(len(owner)), owner] = POWER_SCALE * torch.tensor(DENSITY, dtype=torch.float64)[owner]
    matrix[0] = 0
    return matrix


def transform_size(n):
    """The next size that a fast transform likes: a power of two times 1, 9/8, 5/4, 3/2 or 15/8."""
    power = 1 << max(4, (n - 1).bit_length() - 1)
    return next(power * k // 8 for k in (8, 9, 10, 12, 15, 16) if power * k // 8 >= n)


def speech_frames(target):
    """First and last frame between the silences at both ends of the levelled target, (B,) each."""
    with torch.no_grad():
        heard = F.avg_pool1d(target.abs()[:, None], 5, 1)[:, 0] >= 100
        where = torch.arange(heard.shape[1], device=target.device)
        count = target.shape[1] // HOP - 1
        last = torch.where(heard, where + 5, 0 * where).amax(1) // HOP - 1
        last = last.clamp(0, count - 1)
        first = torch.where(heard, where, 0 * where + heard.shape[1] // 2).amin(1) // HOP
        return torch.minimum(first, last), last


def ceiling(d, leak, limit=45.0):
    return d.clamp(max=limit) + leak * F.relu(d - limit)


def over_time(d, first, last):
    """(B, frames) -> (B,): sixth-power mean in half-overlapping sections, then root mean square over the sections."""
    starts = torch.arange(0, d.shape[1], SECTION // 2, device=d.device)
    frame = first[:, None, None] + starts[:, None] + torch.arange(SECTION, device=d.device)
    inside = frame <= last[:, None, None]
    picked = torch.gather(d, 1, frame.clamp(max=d.shape[1] - 1).flatten(1)).view(frame.shape)
    section = ((picked * inside) ** 6).mean(-1)
    exists = (first[:, None] + starts <= last[:, None]).float()
    section = (section + 1e-12) ** (1 / 3)                                 # the square of the sixth root
    return torch.sqrt((section * exists).sum(1) / exists.sum(1).clamp(min=1) + 1e-8)

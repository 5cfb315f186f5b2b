"""Noisy speech made on the fly: banks of int16 audio in, (noisy, clean) batches out, float32 (B, samples) at 16 kHz.

All on one device, without a host sync, so that a whole training step can be captured as a CUDA graph. Every
item draws its own speaker, speed, equaliser, room, level, noise kinds, SNR and defects.
"""
import math
import os
import numpy as np
import torch
import torch.nn.functional as F
from .codec import BLOCK, decimate, through
from .synthetic import Synthesiser, overlapped, unit


# kinds of synthetic noise and their shares; the rest is recorded
SYNTHETIC = (("coloured", 0.04), ("babble", 0.07), ("hum", 0.03), ("clicks", 0.03), ("calls", 0.03), ("motifs", 0.05),
             ("creatures", 0.05), ("cries", 0.08), ("pulsed", 0.02), ("music", 0.05), ("grains", 0.05), ("hybrids", 0.06))

FASTEST = 4.0       # speed of speech in `creatures`, the longest crop


class Mixer(Synthesiser):
    def __init__(self, bank, batch, samples, device):
        super().__init__(batch, samples, device)
        load = lambda name: loaded(f"{bank}/{name}.npy").to(device)
        self.speech, self.noise = load("speech"), load("noise")
        least = max(int(samples * FASTEST) + 8, 3 * 16000) + 1
        for name in ("speech", "noise"):
            if (held := getattr(self, name).numel()) < least:
                raise SystemExit(f"{bank}/{name}.npy: {held} samples, expected {least} or more for items of {samples}")
        rooms = [load(n).float() for n in ("rooms", "simulated") if os.path.exists(f"{bank}/{n}.npy")]
        self.rooms = torch.cat(rooms) if rooms else None

    def crop(self, bank, samples):
        start = torch.rand(self.batch, 1, device=self.device, dtype=torch.float64) * (bank.numel() - samples)
        return bank[start.long() + torch.arange(samples, device=self.device)].float() / 32768

    def played(self, bank, low, high):
        """A crop at a random speed (pitch and tempo), cubic interpolation."""
        speed = self.draw(low, high)
        x = self.crop(bank, int(self.samples * high) + 8)
        where = 2 + torch.arange(self.samples, device=self.device) * speed
        i = where.long()
        f = where - i
        a, b, c, d = (torch.gather(x, 1, i + k) for k in (-1, 0, 1, 2))
        return b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)))

    def in_room(self, x):
        k = self.rooms[(torch.rand(self.batch, device=self.device) * self.rooms.shape[0]).long()]
        n = x.shape[-1] + k.shape[-1]
        n += -n % 1024
        return torch.fft.irfft(torch.fft.rfft(x, n) * torch.fft.rfft(k, n), n)[:, :x.shape[-1]]

    def grains(self, size=1600):
        """Recordings cut into 0.1 s and put together anew from a few places each: their sounds in another order."""
        count = self.samples // (size // 2) + 2
        places = (torch.rand(self.batch, 6, device=self.device, dtype=torch.float64) * (self.noise.numel() - 16000 * 3)).long()
        start = torch.gather(places, 1, torch.randint(6, (self.batch, count), device=self.device))
        start = start + (torch.rand(self.batch, count, device=self.device) * 16000).long()
        x = self.noise[start[..., None] + torch.arange(size, device=self.device)].float() / 32768
        x = unit(x) * torch.hann_window(size, device=self.device) * torch.rand(self.batch, count, 1, device=self.device)
        return unit(overlapped(x)[:, :self.samples])

    def babble(self):
        talkers = [unit(self.crop(self.speech, self.samples)) * self.draw(0.3, 1.0) * (1 if i < 2 else self.often(0.5)) for i in range(6)]
        return unit(sum(talkers))

    def creatures(self):
        """Voices that no human has: speech at two to four times its speed, or at a third of it, often backwards, in bursts."""
        x = torch.where(self.often(0.75), unit(self.played(self.speech, 2.2, FASTEST)), unit(self.played(self.speech, 0.25, 0.45)))
        x = torch.where(self.often(0.5), x.flip(-1), x)
        x = torch.where(self.often(0.5), x * self.bursts(), x)
        return unit(self.equalised(x, 15.0) + 1e-4 * torch.randn_like(x))

    def recorded(self):
        """A recorded noise at a random speed, sometimes backwards or with its partials moved: few recordings must stand for many."""
        x = unit(self.played(self.noise, 0.6, 1.6))
        x = torch.where(self.often(0.3), x.flip(-1), x)
        return self.some(x, 0.12, lambda part, x: unit(part.shifted(x)))

    def shifted(self, x, most=400):
        """All frequencies moved by the same -400..400 Hz: harmonic sounds become inharmonic."""
        X = torch.view_as_real(torch.fft.rfft(x))
        k = torch.arange(X.shape[1], device=self.device) - (self.draw(-most, most) * (x.shape[-1] / 16000)).long()
        inside = (k >= 0) & (k < X.shape[1])
        moved = torch.gather(X, 1, k.clamp(0, X.shape[1] - 1)[..., None].expand(-1, -1, 2)) * inside[..., None]
        return torch.fft.irfft(torch.view_as_complex(moved.contiguous()), x.shape[-1])

    def hybrids(self, size=512, reach=8):
        """The fine structure of one recording under the envelope of another, over time and frequency (+-250 Hz): a third sound."""
        window = torch.hann_window(size, device=self.device).sqrt()
        frames = lambda x: torch.fft.rfft(F.pad(x, (size, size)).unfold(-1, size, size // 2) * window)
        envelope = lambda X: F.avg_pool1d(X.abs().square(), 2 * reach + 1, 1, reach, count_include_pad=False)
        carrier, other = frames(self.recorded()), frames(self.recorded())
        under = envelope(carrier)
        gain = (envelope(other) / (under + 1e-3 * under.mean((1, 2), keepdim=True) + 1e-9)).sqrt()
        x = overlapped(torch.fft.irfft(carrier * gain, size) * window)
        return unit(x[:, size // 2:size // 2 + self.samples])

    def some(self, x, share, made, at=0):
        """x (B, samples) where a share of the items is replaced by made(mixer, items), in rows from `at` on (rows from the end: negative).

        Made for no more rows than the share needs, so rows must be in random order or alike."""
        count = min(self.batch, math.ceil(share * self.batch))
        rows = slice(at, at + count) if at >= 0 else slice(self.batch + at + 1 - count, self.batch + at + 1)
        part = self.few(count)
        chosen = part.often(share * self.batch / count).reshape(-1, *[1] * (x.dim() - 1))
        new = torch.where(chosen, made(part, x[rows]), x[rows])
        return torch.cat([x[:rows.start], new, x[rows.stop:]])

    def kinds(self):
        """Recorded or synthetic noise, one kind per item, items in random order."""
        x, at = self.two_recorded(), 0
        for made, share in SYNTHETIC:
            count = math.ceil(share * self.batch)
            at = at if at + count <= self.batch else 0       # a small batch: kinds share rows
            x = self.some(x, share, lambda part, _, made=made: getattr(part, made)(), at)
            at += count
        return x[torch.rand(self.batch, device=self.device).argsort()]

    def two_recorded(self):
        x = self.recorded()
        second = lambda part, first: first + part.draw(0.1, 1.0) * part.equalised(part.recorded(), 18.0) * torch.where(
            part.often(0.3), part.envelope(16, 0.0), torch.ones_like(first))
        return self.some(x, 0.45, second)

    def noises(self):
        x = self.kinds()
        x = self.some(x, 0.1, lambda part, x: unit(x) + part.draw(0.1, 0.8) * part.calls())
        x = self.some(x, 0.1, lambda part, x: unit(x) + part.draw(0.1, 1.5) * part.cries(), at=self.batch // 2)
        x = self.some(x, 0.2, lambda part, x: unit(x) + part.draw(0.05, 0.7) * part.coloured(), at=-1)
        if self.rooms is not None:
            x = self.some(x, 0.3, lambda part, x: part.in_room(x), at=self.batch // 3)
        return self.equalised(x, 12.0)

    def pauses(self, x):
        """Silence for 0.3..2 s somewhere, with 10 ms edges."""
        t = torch.arange(self.samples, device=self.device)
        start, length = self.draw(-4000, self.samples), self.draw(4800, 32000)
        inside = torch.minimum(t - start, start + length - t)
        return torch.where(self.often(0.3), x * (1 - (inside / 160).clamp(0, 1)), x)

    def late_start(self):
        """Gains: digital silence for up to 2.4 s, then everything at once, (B, samples); that of the noise, low in half of these items."""
        t, late = torch.arange(self.samples, device=self.device), self.often(0.3)
        gate = torch.where(late, (t >= self.draw(0.3, 2.4) * 16000).float(), torch.ones_like(t, dtype=torch.float32))
        return gate, torch.where(late & self.often(0.5), 10 ** (self.draw(-60, -20) / 20), torch.ones_like(gate[:, :1]))

    def band_limited(self, x, cutoff):
        f = torch.arange(self.samples // 2 + 1, device=self.device) * (16000 / self.samples)
        slope = ((cutoff[:, :, None] - f) / 200).clamp(0, 1)
        return torch.fft.irfft(torch.fft.rfft(x) * slope, self.samples)

    def sample(self):
        """One batch: noisy and clean, (B, samples) each."""
        speech = self.pauses(self.equalised(self.played(self.speech, 0.8, 1.25), 6.0))
        if self.rooms is not None:
            speech = self.some(speech, 0.25, lambda part, x: part.in_room(x))
        level = 10 ** (torch.where(self.often(0.2), self.draw(-72, -12), self.draw(-40, -12)) / 20)
        snr = self.draw(-8, 18)
        speech = unit(speech) * level
        noise = unit(self.noises()) * level * 10 ** (-snr / 20)
        kind = self.draw()
        speech = torch.where(kind < 0.05, torch.zeros_like(speech), speech)      # noise only
        noise = torch.where(kind > 0.94, noise * 1e-3, noise)                    # clean only
        step = torch.where(torch.arange(self.samples, device=self.device) < self.draw(0, self.samples), torch.ones_like(speech), 10 ** (self.draw(-12, 12) / 20))
        jump = torch.where(self.often(0.06), step, torch.ones_like(step))
        gate, quiet = self.late_start()
        clean, noisy = speech * jump * gate, (speech + noise * quiet) * jump * gate
        both = self.some(torch.stack([clean, noisy], 1), 0.12, lambda part, x: part.band_limited(x, part.draw(1800, 7000)), at=-1)
        clean, noisy = both.unbind(1)
        peak = noisy.abs().amax(-1, keepdim=True)
        fit = 0.99 / peak.clamp(min=0.99)
        clean, noisy = clean * fit, noisy * fit
        limit = peak * fit * self.draw(0.3, 0.9)
        noisy = torch.where(self.often(0.04), torch.minimum(torch.maximum(noisy, -limit), limit), noisy)
        return torch.where(self.often(0.03), mu_law(noisy), noisy), clean


def loaded(path):
    try:
        return torch.from_numpy(np.load(path))
    except (OSError, ValueError) as fault:
        raise SystemExit(f"{path}: {getattr(fault, 'strerror', None) or 'no array'}; python -m training.banks makes it from shards") from None


def sensed(mixer, noisy):
    """What a receiver has of a 4 kHz / 4-bit sensor: decoded samples (B, samples/4), lost hops silent, and their flags (B, hops)."""
    received = through(decimate(noisy))
    hops = received.shape[1] // BLOCK
    lost = torch.rand(mixer.batch, hops, device=mixer.device) < mixer.draw(0, 0.08) * mixer.often(0.6)
    again = torch.rand(mixer.batch, hops, device=mixer.device) < 0.4           # bursts
    lost = lost | (F.pad(lost[:, :-1], (1, 0)) & again)
    heard = received.reshape(mixer.batch, hops, BLOCK) * (~lost[..., None])
    return heard.flatten(1), lost.float()


def mu_law(x, mu=255.0):
    """Through eight-bit mu-law and back (ITU-T G.711, continuous form)."""
    y = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log1p(mu)
    y = torch.round(y * 127.5 - 0.5).add(0.5) / 127.5
    return torch.sign(y) * torch.expm1(y.abs() * math.log1p(mu)) / mu

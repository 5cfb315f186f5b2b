"""Noisy speech made on the fly: banks of int16 audio in, (noisy, clean) batches out, float32 (B, samples) at 16 kHz.

All on one device, without a host sync, so that a whole training step can be captured as a CUDA graph. Every
item draws its own speaker, speed, equaliser, room, level, noise kinds, SNR and defects.
"""
import copy
import math
import os
import numpy as np
import torch
import torch.nn.functional as F
from .codec import BLOCK, decimate, through


# kinds of synthetic noise and their shares; the rest is recorded
SYNTHETIC = (("coloured", 0.06), ("babble", 0.09), ("hum", 0.03), ("clicks", 0.04), ("calls", 0.06), ("pulsed", 0.03), ("music", 0.05), ("grains", 0.1))


class Mixer:
    def __init__(self, bank, batch, samples, device):
        load = lambda name: torch.from_numpy(np.load(f"{bank}/{name}.npy")).to(device)
        self.speech, self.noise = load("speech"), load("noise")
        rooms = [load(n).float() for n in ("rooms", "simulated") if os.path.exists(f"{bank}/{n}.npy")]
        self.rooms = torch.cat(rooms) if rooms else None
        self.batch, self.samples, self.device = batch, samples, device
        self.scale = torch.tensor([0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17, 19, 21, 24, 28, 31], device=device) / 12      # octaves

    def few(self, count):
        """The same mixer for so many items: what only some items need is made for them alone."""
        part = copy.copy(self)
        part.batch = count
        return part

    def draw(self, low=0.0, high=1.0):
        """One uniform number per item, (B, 1)."""
        return low + (high - low) * torch.rand(self.batch, 1, device=self.device)

    def often(self, share):
        return self.draw() < share

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

    def equalised(self, x, range_db):
        """A smooth random frequency response of +-range_db."""
        X = torch.fft.rfft(x)
        points = (2 * torch.rand(self.batch, 1, 10, device=self.device) - 1) * range_db
        curve = F.interpolate(points, size=X.shape[-1], mode="linear", align_corners=True)[:, 0]
        return torch.fft.irfft(X * 10 ** (curve / 20), x.shape[-1])

    def in_room(self, x):
        k = self.rooms[(torch.rand(self.batch, device=self.device) * self.rooms.shape[0]).long()]
        n = x.shape[-1] + k.shape[-1]
        n += -n % 1024
        return torch.fft.irfft(torch.fft.rfft(x, n) * torch.fft.rfft(k, n), n)[:, :x.shape[-1]]

    def envelope(self, points, floor):
        """A slow random gain, (B, samples), floor..1."""
        e = torch.rand(self.batch, 1, points, device=self.device)
        return floor + (1 - floor) * F.interpolate(e, size=self.samples, mode="linear", align_corners=True)[:, 0]

    def coloured(self):
        """Noise of a 1/f^a spectrum, a in -0.5..2, in part slowly modulated."""
        f = torch.arange(self.samples // 2 + 1, device=self.device).clamp(min=16).float() / 16
        X = torch.fft.rfft(torch.randn(self.batch, self.samples, device=self.device)) * f ** (-self.draw(-0.5, 2.0) / 2)
        x = unit(torch.fft.irfft(X, self.samples))
        return torch.where(self.often(0.4), x * self.envelope(24, 0.05), x)

    def hum(self):
        t = torch.arange(self.samples, device=self.device) / 16000
        f0 = self.draw(45, 260)
        parts = [self.draw() ** 2 * torch.sin(2 * math.pi * (f0 * k * t + self.draw())) for k in (1, 2, 3, 4, 5, 7, 10, 14)]
        return unit(sum(parts) + 0.02 * self.coloured())

    def clicks(self):
        """Short decaying bursts at random moments: keys, taps, knocks."""
        hits = (torch.rand(self.batch, self.samples, device=self.device) < self.draw(1, 8) / 16000).float()
        hits = hits * torch.rand_like(hits)
        t = torch.arange(1600, device=self.device) / 16000
        burst = torch.randn(self.batch, 1600, device=self.device) * torch.exp(-t / self.draw(0.001, 0.02))
        n = self.samples + 1600
        x = torch.fft.irfft(torch.fft.rfft(hits, n) * torch.fft.rfft(burst, n), n)[:, :self.samples]
        return unit(x + 1e-4 * torch.randn_like(x))

    def bursts(self, points=24):
        """A gain that is zero most of the time and opens now and then."""
        e = torch.rand(self.batch, 1, points, device=self.device) - self.draw(0.2, 0.7)[:, None]
        return F.interpolate(e.clamp(min=0), size=self.samples, mode="linear", align_corners=True)[:, 0]

    def calls(self):
        """Harmonic tones on a wandering pitch, 100 Hz..3 kHz, in bursts: animals, alarms, sirens, engines."""
        bend = torch.randn(self.batch, 1, 16, device=self.device) * self.draw(0.0, 0.5)[:, None]
        bend = F.interpolate(bend, size=self.samples, mode="linear", align_corners=True)[:, 0]
        f0 = 100 * 30 ** self.draw() * torch.exp2(bend)
        phase = torch.cumsum(f0.double() / 16000, -1).float()
        fall = self.draw(0.3, 1.5)
        below = lambda k: ((7600 - k * f0) / 400).clamp(0, 1)                       # nothing folds back
        x = sum(k ** -fall * below(k) * torch.sin(2 * math.pi * torch.frac(k * phase)) for k in range(1, 9))
        rough = self.draw(0, 0.5) * torch.randn_like(x)
        gain = torch.where(self.often(0.7), self.bursts(), torch.ones_like(x))
        return unit((x + rough * x.abs()) * gain + 1e-4 * rough)

    def pulsed(self):
        """Coloured noise that beats 1..40 times a second: machines, rotors, ticking."""
        t = torch.arange(self.samples, device=self.device) / 16000
        beat = torch.frac(t * self.draw(1, 6.3) ** 2 + self.draw())
        return unit(self.coloured() * torch.exp(-beat * self.draw(1, 12)))

    def music(self):
        """Chords and runs of four voices on one scale, plucked or held, each note of six harmonics."""
        t = torch.arange(self.samples, device=self.device) / 16000
        beat = t * self.draw(1.5, 6.0) + self.draw()
        root, dull, fade = 60 * 8 ** self.draw(), self.draw(0.5, 2.0), self.draw(0.0, 5.0)
        x = 0
        for voice in range(4):
            place = beat / 2 ** (voice % 3)
            note = self.scale[torch.randint(16, (self.batch, 64), device=self.device)]
            f0 = root * torch.exp2(torch.gather(note, 1, place.long() % 64))
            phase = torch.cumsum(f0.double() / 16000, -1).float()
            since = torch.frac(place)
            gain = torch.exp(-fade * since) * (since * 40).clamp(max=1) * ((1 - since) * 40).clamp(max=1)
            below = lambda k: ((7600 - k * f0) / 400).clamp(0, 1)
            x = x + self.draw(0.2, 1.0) * gain * sum(k ** -dull * below(k) * torch.sin(2 * math.pi * torch.frac(k * phase)) for k in range(1, 7))
        return unit(x + 1e-3 * torch.randn_like(x))

    def grains(self, size=1600):
        """Recordings cut into 0.1 s and put together anew from a few places each: their sounds in another order."""
        count = self.samples // (size // 2) + 2
        places = (torch.rand(self.batch, 6, device=self.device, dtype=torch.float64) * (self.noise.numel() - 16000 * 3)).long()
        start = torch.gather(places, 1, torch.randint(6, (self.batch, count), device=self.device))
        start = start + (torch.rand(self.batch, count, device=self.device) * 16000).long()
        x = self.noise[start[..., None] + torch.arange(size, device=self.device)].float() / 32768
        x = unit(x) * torch.hann_window(size, device=self.device) * torch.rand(self.batch, count, 1, device=self.device)
        first, second = x.reshape(self.batch, count, 2, size // 2).unbind(2)
        return unit((first[:, 1:] + second[:, :-1]).flatten(1)[:, :self.samples])

    def babble(self):
        talkers = [unit(self.crop(self.speech, self.samples)) * self.draw(0.3, 1.0) * (1 if i < 2 else self.often(0.5)) for i in range(6)]
        return unit(sum(talkers))

    def recorded(self):
        """A recorded noise at a random speed, sometimes backwards: few recordings must stand for many."""
        x = unit(self.played(self.noise, 0.6, 1.6))
        return torch.where(self.often(0.3), x.flip(-1), x)

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
        x = self.some(x, 0.15, lambda part, x: unit(x) + part.draw(0.1, 0.8) * part.calls())
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
        t, late = torch.arange(self.samples, device=self.device), self.often(0.2)
        gate = torch.where(late, (t >= self.draw(0.3, 2.4) * 16000).float(), torch.ones_like(t, dtype=torch.float32))
        return gate, torch.where(late & self.often(0.5), 10 ** (self.draw(-60, -20) / 20), torch.ones_like(gate[:, :1]))

    def band_limited(self, x, cutoff):
        f = torch.arange(self.samples // 2 + 1, device=self.device) * (16000 / self.samples)
        slope = ((cutoff[:, :, None] - f) / 200).clamp(0, 1)
        return torch.fft.irfft(torch.fft.rfft(x) * slope, self.samples)

    def sample(self):
        """One batch: noisy and clean, (B, samples) each."""
        speech = self.pauses(self.equalised(self.played(self.speech, 0.85, 1.16), 6.0))
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
        both = self.some(torch.stack([clean, noisy], 1), 0.08, lambda part, x: part.band_limited(x, part.draw(3400, 7000)), at=-1)
        clean, noisy = both.unbind(1)
        peak = noisy.abs().amax(-1, keepdim=True)
        fit = 0.99 / peak.clamp(min=0.99)
        clean, noisy = clean * fit, noisy * fit
        limit = peak * fit * self.draw(0.3, 0.9)
        noisy = torch.where(self.often(0.04), torch.minimum(torch.maximum(noisy, -limit), limit), noisy)
        return torch.where(self.often(0.03), mu_law(noisy), noisy), clean


def sensed(mixer, noisy):
    """What a receiver has of a 4 kHz / 4-bit sensor: decoded samples (B, samples/4), lost hops silent, and their flags (B, hops)."""
    received = through(decimate(noisy))
    hops = received.shape[1] // BLOCK
    lost = torch.rand(mixer.batch, hops, device=mixer.device) < mixer.draw(0, 0.08) * mixer.often(0.6)
    again = torch.rand(mixer.batch, hops, device=mixer.device) < 0.4           # bursts
    lost = lost | (F.pad(lost[:, :-1], (1, 0)) & again)
    heard = received.reshape(mixer.batch, hops, BLOCK) * (~lost[..., None])
    return heard.flatten(1), lost.float()


def unit(x):
    """Scaled to RMS one."""
    return x / x.square().mean(-1, keepdim=True).clamp(min=1e-9).sqrt()


def mu_law(x, mu=255.0):
    """Through eight-bit mu-law and back (ITU-T G.711, continuous form)."""
    y = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log1p(mu)
    y = torch.round(y * 127.5 - 0.5).add(0.5) / 127.5
    return torch.sign(y) * torch.expm1(y.abs() * math.log1p(mu)) / mu

"""Noises made of nothing: hum, clicks, calls, cries, motifs, drums, music, coloured and pulsed noise. A batch size in, (B, samples) of RMS one out, float32 at 16 kHz.

Every item draws its own parameters. All on one device, without a host sync, so that it can be part of a CUDA graph.
"""
import copy
import math
import torch
import torch.nn.functional as F

SCALE = (0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17, 19, 21, 24, 28, 31)      # semitones
HIGHEST = 7600                                                          # Hz; nothing folds back


class Synthesiser:
    def __init__(self, batch, samples, device):
        self.batch, self.samples, self.device = batch, samples, device
        self.scale = torch.tensor(SCALE, device=device) / 12                # octaves
        self.ratios = torch.tensor([0.5, 1, 1, 1.41, 2, 2.76, 3, 5], device=device)

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

    def envelope(self, points, floor):
        """A slow random gain, (B, samples), floor..1."""
        e = torch.rand(self.batch, 1, points, device=self.device)
        return floor + (1 - floor) * F.interpolate(e, size=self.samples, mode="linear", align_corners=True)[:, 0]

    def equalised(self, x, range_db):
        """A smooth random frequency response of +-range_db."""
        X = torch.fft.rfft(x)
        points = (2 * torch.rand(self.batch, 1, 10, device=self.device) - 1) * range_db
        curve = F.interpolate(points, size=X.shape[-1], mode="linear", align_corners=True)[:, 0]
        return torch.fft.irfft(X * 10 ** (curve / 20), x.shape[-1])

    def coloured(self):
        """Noise of a 1/f^a spectrum, a in -0.5..2, in part slowly modulated."""
        f = torch.arange(self.samples // 2 + 1, device=self.device).clamp(min=16).float() / 16
        X = torch.fft.rfft(torch.randn(self.batch, self.samples, device=self.device)) * f ** (-self.draw(-0.5, 2.0) / 2)
        x = unit(torch.fft.irfft(X, self.samples))
        return unit(torch.where(self.often(0.4), x * self.envelope(24, 0.05), x))

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
        x = self.partials(f0, phase, 8, self.draw(0.3, 1.5))
        rough = self.draw(0, 0.5) * torch.randn_like(x)
        gain = torch.where(self.often(0.7), self.bursts(), torch.ones_like(x))
        return unit((x + rough * x.abs()) * gain + 1e-4 * rough)

    def partials(self, f0, phase, count, fall, gain=1):
        """A harmonic tone of amplitudes k^-fall, all partials at once; f0 in Hz and phase in turns (B, samples), fall (B, 1).

        gain: one for every partial and sample, (B, count, samples)."""
        k = torch.arange(1, count + 1, device=self.device)[:, None]
        below = ((HIGHEST - k * f0[:, None]) / 400).clamp(0, 1)
        return (k ** -fall[:, None] * gain * below * torch.sin(2 * math.pi * torch.frac(k * phase[:, None]).float())).sum(1)

    def pulsed(self):
        """Coloured noise that beats 1..40 times a second: machines, rotors, ticking."""
        t = torch.arange(self.samples, device=self.device) / 16000
        beat = torch.frac(t * self.draw(1, 6.3) ** 2 + self.draw())
        return unit(self.coloured() * torch.exp(-beat * self.draw(1, 12)))

    def motifs(self):
        """One short sound over and over, a little different each time: barks, chirps, croaks, crickets, sirens, machines at work.

        A frequency-modulated tone on a contour of its own, with a trill, a share of noise and a body that colours it."""
        t = torch.arange(self.samples, device=self.device) / 16000
        inside, each = self.turns(t, 0.12, 20, 0.1)
        octaves = self.contour(inside) * self.draw(0.0, 1.2) + each(-0.5, 0.5) * self.draw(0.0, 0.3)
        trill = 1 + self.draw(0.0, 0.15) * torch.sin(2 * math.pi * self.draw(4, 60) * t)
        f0 = (120 * 35 ** self.draw() * torch.exp2(octaves) * trill).clamp(max=HIGHEST / 1.3)
        phase = 2 * math.pi * torch.cumsum(f0.double() / 16000, -1)
        ratio = self.ratios[torch.randint(len(self.ratios), (self.batch, 1), device=self.device)]
        index = self.draw(0.0, 5.0) * self.contour(inside).abs()
        index = torch.minimum(index, ((HIGHEST / f0 - 1) / ratio - 1).clamp(min=0))        # Carson's rule
        tone = torch.sin(((phase + index * torch.sin(ratio * phase)) % (2 * math.pi)).float())
        rough = self.draw(0.0, 1.0) ** 2 * torch.randn_like(tone)
        x = self.voiced(tone + rough, inside, each, 60, 0.5)
        return unit(self.equalised(x, 15.0) + 1e-4 * torch.randn_like(tone))

    def cries(self, harmonics=20):
        """A source and three moving resonances, as in throats that are no talker's: miaows, cries, crowing, lowing, howls, gulls.

        A pitch of 120 Hz..2 kHz on a contour of its own, calls of 0.1..2 s, rough or breathy in part."""
        t = torch.arange(self.samples, device=self.device) / 16000
        inside, each = self.turns(t, 0.2, 15, 0.3)
        bend = self.contour(inside, 4) * self.draw(0.0, 0.8) + each(-0.5, 0.5) * self.draw(0.0, 0.5)
        vibrato = self.draw(0.0, 0.05) * torch.sin(2 * math.pi * self.draw(3, 12) * t)
        octaves = torch.log2(120 * 17 ** self.draw()) + bend + vibrato
        f0 = torch.exp2(octaves)
        phase = torch.cumsum(f0.double() / 16000, -1)
        wander = lambda: self.contour(inside, 3) * self.draw(0.0, 0.6)
        throat = [(torch.log2(400 * 16 ** self.draw()) + wander(), self.draw(2, 8), self.draw(0.1, 1.0)) for _ in range(3)]
        at = octaves[:, None] + torch.log2(torch.arange(1, harmonics + 1, device=self.device))[:, None]
        gain = 0.02 + sum(g[:, None] * torch.exp(-(sharp[:, None] * (at - f[:, None])).square()) for f, sharp, g in throat)
        x = self.partials(f0, phase, harmonics, self.draw(0.0, 1.0), gain)
        rough = 1 - self.draw(0.0, 1.0) ** 2 * (0.5 + 0.5 * torch.sin(2 * math.pi * self.draw(20, 120) * t))
        hoarse = F.interpolate(torch.randn(self.batch, 1, self.samples // 24, device=self.device), size=self.samples, mode="linear")[:, 0]
        rough = rough * (1 + self.draw(0.0, 1.5) ** 2 * hoarse)
        breath = self.draw(0.0, 0.5) ** 2 * torch.randn_like(t.expand(self.batch, -1))
        x = self.voiced(unit(x) * rough + breath, inside, each, 30, 0.6)
        return unit(x + 1e-4 * torch.randn_like(x))

    def turns(self, t, shortest, times, least):
        """One sound after the other, all of a length of `shortest` s to `times` that, of which at least the share `least` is sound.

        -> the place of every sample in its turn, 0..1 (B, samples), and each(low, high): a number for every turn."""
        place = t / (shortest * times ** self.draw()) + self.draw()
        turn, inside = place.long() % 64, (torch.frac(place) / self.draw(least, 0.95)).clamp(max=1)
        return inside, lambda low, high: torch.gather(low + (high - low) * torch.rand(self.batch, 64, device=self.device), 1, turn)

    def voiced(self, x, inside, each, steepest, silent):
        """x with an attack and a decay in every turn, a level of its own, and up to the share `silent` of the turns left out."""
        gain = (inside * self.draw(3, steepest)).clamp(max=1) * ((1 - inside) * self.draw(1, 20)).clamp(max=1)
        heard = each(0.3, 1.0) * (each(0.0, 1.0) > self.draw(0.0, silent))
        return x * gain * heard

    def contour(self, inside, points=8):
        """A smooth random curve over 0..1, values in -1..1, for every sample's place `inside` it."""
        y = 2 * torch.rand(self.batch, points + 1, device=self.device) - 1
        at = inside * points
        i = at.long().clamp(max=points - 1)
        ease = at - i
        ease = ease * ease * (3 - 2 * ease)
        return torch.gather(y, 1, i) * (1 - ease) + torch.gather(y, 1, i + 1) * ease

    def drums(self):
        """Three drums (a falling tone, two noises) on patterns of sixteen steps."""
        speed = self.draw(4, 12)
        place = torch.arange(self.samples, device=self.device) / 16000 * speed + self.draw(0, 16)
        since = torch.frac(place) / speed
        hiss = torch.randn(self.batch, self.samples + 2, device=self.device)
        low = torch.sin(2 * math.pi * (self.draw(40, 150) * since + self.draw(0, 8) * (1 - torch.exp(-30 * since))))
        middle = hiss[:, 2:] + self.draw(-0.9, 0.9) * hiss[:, 1:-1]
        high = hiss[:, 2:] - 2 * hiss[:, 1:-1] + hiss[:, :-2]
        x = 0
        for sound, slow, fast in ((low, 6, 30), (middle, 12, 60), (0.5 * high, 30, 200)):
            steps = torch.rand(self.batch, 16, device=self.device)
            steps = steps * (torch.rand_like(steps) < self.draw(0.1, 0.6))
            x = x + self.draw() * sound * torch.gather(steps, 1, place.long() % 16) * torch.exp(-since * self.draw(slow, fast))
        return unit(x + 1e-3 * hiss[:, 2:])

    def music(self):
        """Chords and runs of four voices on one scale, plucked or held, each note of six harmonics; distorted now and then, half of it with drums."""
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
            x = x + self.draw(0.2, 1.0) * gain * self.partials(f0, phase, 6, dull)
        x = unit(x + 1e-3 * torch.randn_like(x))
        x = torch.where(self.often(0.2), unit(torch.tanh(self.draw(1, 6) * x)), x)
        return unit(torch.where(self.often(0.5), x + self.draw(0.1, 1.5) * self.drums(), x))


def overlapped(frames):
    """Sum of frames (B, count, size) that overlap by half, (B, (count - 1) size / 2)."""
    first, second = frames.unflatten(-1, (2, frames.shape[-1] // 2)).unbind(2)
    return (first[:, 1:] + second[:, :-1]).flatten(1)


def unit(x):
    """Scaled to RMS one."""
    return x / x.square().mean(-1, keepdim=True).clamp(min=1e-9).sqrt()

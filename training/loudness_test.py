"""Checks of the loudness-domain loss.   python -m training.loudness_test

Synthetic speech-like signals, 16 kHz, seeded. Prints one line per check; fails with an assertion.
"""
import math
import torch
from .loudness import BINS, DENSITY, BARK, THRESHOLD_DB, LoudnessLoss, transform_size

SAMPLES = 48000


def voice(seed, samples=SAMPLES):
    """Harmonics of a gliding pitch under syllables of 4 Hz, with a little breath, (1, samples), peak 0.5."""
    torch.manual_seed(seed)
    t = torch.arange(samples) / 16000
    pitch = 120 + 40 * torch.sin(2 * math.pi * 0.7 * t + seed)
    phase = 2 * math.pi * torch.cumsum(pitch, 0) / 16000
    x = sum(torch.sin(k * phase) / k for k in range(1, 25)) + 0.05 * torch.randn(samples)
    x = x * torch.sin(2 * math.pi * 2 * t).square()
    return (0.5 * x / x.abs().max())[None]


def noise(seed, samples=SAMPLES):
    torch.manual_seed(seed)
    return torch.randn(1, samples)


def gradient(measure, estimate, target):
    estimate = estimate.clone().requires_grad_()
    value = measure(estimate, target)
    value.sum().backward()
    return value.detach(), estimate.grad


def test_tables():
    assert len(BINS) == len(BARK) == len(DENSITY) == len(THRESHOLD_DB) == 49 and sum(BINS) == 256
    matrix = LoudnessLoss().bands
    assert (matrix[1:256] > 0).sum(1).eq(1).all() and not matrix[0].any() and not matrix[256].any()


def test_sizes():
    for n in (1, 500, 48000, 64000, 65536, 65537, 69120, 1000003):
        assert n <= transform_size(n) <= max(16, 1.25 * n) and transform_size(n) % 2 == 0, n


def test_identical():
    loss = LoudnessLoss()
    x = torch.cat([voice(1), voice(2), 0.01 * voice(3)])
    mos, slope = gradient(loss, x, x)
    assert (mos > 4.5).all() and slope.isfinite().all(), mos
    assert loss.loss(x, x) < 0.01


def test_corner_cases():
    loss, zero, x = LoudnessLoss(), torch.zeros(1, SAMPLES), voice(1)
    click = zero.clone()
    click[0, 20000] = 1
    signals = {"zeros": zero, "voice": x, "full scale": (100 * x).clamp(-1, 1), "tiny": 1e-7 * x, "denormal": 1e-30 * x, "click": click,
               "constant": zero + 0.5, "noise": 0.3 * noise(1), "half silent": torch.cat([zero[:, :24000], x[:, 24000:]], 1)}
    for a, estimate in signals.items():
        for b, target in signals.items():
            for measure in (loss, loss.loss):
                value, slope = gradient(measure, estimate, target)
                assert value.isfinite().all() and slope.isfinite().all(), (a, b, measure)
                assert slope.norm() < 1e4 or a in ("tiny", "denormal"), (a, b, slope.norm())


def test_silent_targets_count_nothing():
    loss, x = LoudnessLoss(), voice(1)
    both = torch.cat([x + 0.02 * noise(1), 0.1 * noise(2)])
    value, slope = gradient(loss.loss, both, torch.cat([x, 0 * x]))
    assert torch.allclose(value, loss.loss(both[:1], x), rtol=1e-4)
    assert not slope[1].any() and slope[0].any()
    assert loss.loss(both, 0 * both) == 0


def test_falls_with_noise():
    loss, x = LoudnessLoss(), voice(4)
    mos = torch.cat([loss(x + 10 ** (-snr / 20) * 0.1 * noise(5), x) for snr in range(60, 9, -5)])
    assert (mos.diff() < 0).all() and mos[0] > 4 and mos[-1] < 1.3, mos
    drop = torch.stack([loss.loss(x + level * noise(5), x) for level in (0.001, 0.003, 0.01, 0.03, 0.1)])
    assert (drop.diff() > 0).all(), drop


def test_level_does_not_matter():
    loss, x = LoudnessLoss(), voice(6)
    y = x + 0.01 * noise(7)
    reference = loss(y, x)
    for a, b in ((0.1, 1), (1, 0.1), (0.01, 0.01), (30, 30)):
        assert (loss(a * y, b * x) - reference).abs() < 0.02, (a, b)


def test_items_are_independent():
    loss = LoudnessLoss()
    x = torch.cat([voice(i) for i in range(3)])
    y = x + 0.02 * torch.cat([noise(i) for i in range(3)])
    alone = torch.cat([loss(y[i:i + 1], x[i:i + 1]) for i in range(3)])
    assert torch.allclose(loss(y, x), alone, atol=1e-3)


def test_silence_around_the_speech_is_left_out():
    loss, x = LoudnessLoss(), voice(8)
    y = x + 0.01 * noise(9) * (x.abs() > 1e-3)
    pad = lambda s: torch.nn.functional.pad(s, (5120, 5120))
    assert (loss(pad(y), pad(x)) - loss(y, x)).abs() < 0.15


def test_gradient_is_that_of_the_value():
    """Along a direction, a step of the size h changes the loss by h times the slope."""
    loss, x = LoudnessLoss(), voice(10)
    y = x + 0.03 * noise(11)
    value, slope = gradient(loss.loss, y, x)
    direction = slope / slope.norm()
    h = 0.01
    change = (loss.loss(y + h * direction, x) - loss.loss(y - h * direction, x)) / (2 * h)
    assert abs(change / slope.norm() - 1) < 0.1, (change, slope.norm())


def test_descent_removes_the_noise():
    """Gains per band and frame that minimise the loss bring a noisy voice closer to the clean one."""
    loss, x = LoudnessLoss(), voice(12, 32000)
    y = x + 0.02 * noise(13, 32000)
    window = torch.hann_window(512)
    Y = torch.stft(y, 512, 128, window=window, return_complex=True)
    mask = torch.zeros(Y.shape, requires_grad=True)
    optimiser = torch.optim.Adam([mask], 0.2)
    shown = lambda: torch.istft(Y * torch.sigmoid(mask + 2), 512, 128, window=window, length=x.shape[1])
    before = loss(shown().detach(), x)
    for _ in range(30):
        optimiser.zero_grad()
        loss.loss(shown(), x).backward()
        optimiser.step()
    assert loss(shown().detach(), x) > before + 0.5, (before, loss(shown().detach(), x))


if __name__ == "__main__":
    torch.manual_seed(0)
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)

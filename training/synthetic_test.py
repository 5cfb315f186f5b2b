"""Synthetic noises: of RMS one, finite, different from item to item and below the highest frequency.   python -m training.synthetic_test"""
import torch
from .synthetic import Synthesiser

KINDS = ("coloured", "hum", "clicks", "calls", "cries", "motifs", "pulsed", "drums", "music")


def made(kind, batch=16, samples=48000, seed=3):
    torch.manual_seed(seed)
    return getattr(Synthesiser(batch, samples, "cpu"), kind)()


def test_every_kind_is_finite_and_of_unit_level():
    for kind in KINDS:
        x = made(kind)
        assert x.shape == (16, 48000) and x.dtype == torch.float32, kind
        level = x.square().mean(-1).sqrt()
        assert torch.isfinite(x).all() and (level - 1).abs().max() < 0.02, f"{kind}: {level}"


def test_items_differ():
    for kind in KINDS:
        x = made(kind)
        likeness = (x @ x.T / x.shape[1]).fill_diagonal_(0).abs().max()
        assert likeness < 0.9, f"{kind}: {likeness}"


def test_tones_do_not_fold_back():
    """A tone far above the lowest shows no energy below its own frequency that aliases would bring."""
    torch.manual_seed(1)
    synthesiser = Synthesiser(64, 32000, "cpu")
    for kind in ("calls", "motifs"):
        power = torch.fft.rfft(getattr(synthesiser, kind)()).abs().square()
        top = power[:, -int(32000 * 150 / 16000):].sum(-1) / power.sum(-1)      # the last 150 Hz
        assert top.median() < 1e-3, f"{kind}: {top.median()}"


def test_motifs_return():
    """Of most items the envelope is like itself one period later."""
    x = made("motifs", batch=32, samples=96000).abs().reshape(32, -1, 160).mean(-1)
    x = x - x.mean(-1, keepdim=True)
    spectrum = torch.fft.rfft(x, 2 * x.shape[1])
    likeness = torch.fft.irfft(spectrum.abs().square())[:, :300]
    best = likeness[:, 12:].max(-1).values / likeness[:, 0]
    assert best.median() > 0.3, best.median()


def test_the_seed_decides():
    assert torch.equal(made("music"), made("music")) and not torch.equal(made("music"), made("music", seed=4))


if __name__ == "__main__":
    for name, check in list(globals().items()):
        if name.startswith("test_"):
            check()
            print("ok", name)

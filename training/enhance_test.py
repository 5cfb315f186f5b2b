"""Fresh networks pass their input on, aligned and as long: those at 16 kHz all of it, a sensor's what is below 1.5 kHz.   python -m training.enhance_test"""
import numpy as np
from .enhance import enhanced
from .golden_signal import signal
from .network import Network
from .shapes import SHIPPED


def likeness(config, count=16000 + 77):
    """Correlation with the input, below 1.5 kHz."""
    x = (0.3 * signal(count)).astype(np.float32)
    y = enhanced(Network(SHIPPED[config](), seed=1).eval(), x)
    assert y.shape == x.shape, config
    low = lambda v: np.fft.irfft(np.fft.rfft(v)[:1500], 16000)
    a, b = (low(v[:16000]) for v in (x, y))
    return a @ b / np.sqrt((a @ a) * (b @ b))


def test_networks_at_16_khz():
    for config in ("lite", "hq"):
        assert likeness(config) > 0.95, f"{config}: {likeness(config)}"


def test_a_sensors_network():
    assert likeness("nano") > 0.9, likeness("nano")


if __name__ == "__main__":
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)

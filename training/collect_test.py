"""Checks of the pure parts of collect.py and fingerprint.py.   python -m training.collect_test

Synthetic sounds, 16 kHz, seeded. Prints one line per check; fails with an assertion. Needs numpy alone.
"""
import numpy as np
from .collect import (ACTIVE_DBFS, COPY_SHARE, LONGEST_SECONDS, PEAK, RATE, chosen, fault_of_speech, frame_powers, index_of,
                      joined, levelled, middle, recipe, trimmed, without_silence)
from .fingerprint import Index, landmarks, running_maximum


def tune(seed, seconds=10):
    """Notes of random pitch and length over soft noise: a sound with a face."""
    random = np.random.default_rng(seed)
    x = 0.01 * random.standard_normal(seconds * RATE)
    for start in np.arange(0, seconds - 0.5, 0.25):
        t = np.arange(int(RATE * random.uniform(0.1, 0.4))) / RATE
        at = int(start * RATE)
        x[at:at + len(t)] += 0.2 * np.sin(2 * np.pi * random.uniform(200, 6000) * t) * np.exp(-8 * t)
    return x.astype(np.float32)


def speech(seed, floor=1e-4):
    """Bursts of wide-band noise at 4 Hz, like syllables, over a floor."""
    random = np.random.default_rng(seed)
    t = np.arange(3 * RATE) / RATE
    return (0.2 * random.standard_normal(len(t)) * np.maximum(0, np.sin(2 * np.pi * 2 * t)) ** 2
            + floor * random.standard_normal(len(t))).astype(np.float32)


def test_level():
    for gain in (1e-3, 0.1, 3):
        x = levelled(gain * speech(1))
        loud = frame_powers(x)
        loud = loud[loud > np.percentile(loud, 95) * 1e-3]
        assert abs(10 * np.log10(loud.mean()) - ACTIVE_DBFS) < 0.1
    click = 1e-4 * np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    click[8000] = 0.01
    assert np.isclose(np.abs(levelled(click)).max(), PEAK)                        # a click is held by its peak


def test_level_ignores_pauses():
    x, pause = tune(1), np.full(5 * RATE, 1e-5, np.float32)
    assert abs(np.std(levelled(np.concatenate([x, pause]))[:len(x)]) / np.std(levelled(x)) - 1) < 0.02


def test_silence():
    x = 0.5 + np.zeros(RATE, np.float32)
    gap = np.zeros(2000, np.float32)
    assert len(without_silence(np.concatenate([gap, x, gap, x, gap]))) == 2 * RATE
    assert len(without_silence(np.concatenate([x, gap[:700], x]))) == 2 * RATE + 700     # a pause of 44 ms is part of the sound
    assert len(without_silence(gap)) == 0


def test_trim():
    x = np.concatenate([np.full(RATE, 1e-5), speech(2)[:RATE], np.full(RATE, 1e-5)]).astype(np.float32)
    assert RATE * 0.9 < len(trimmed(x)) < RATE * 1.35


def test_faults_of_speech():
    assert fault_of_speech(speech(3), 30) == ""
    assert fault_of_speech(speech(3, floor=0.02), 30) == "noisy"
    assert fault_of_speech(np.clip(speech(3), -0.1, 0.1), 30) == "clipped"
    assert fault_of_speech(speech(3)[:5000], 30) == "short"
    clicked = speech(3)
    clicked[RATE * 3 // 8 - 100:RATE * 3 // 8 + 100] = 0.2                               # between two syllables
    assert fault_of_speech(clicked, 30, drop_clicks=True) == "click" and fault_of_speech(speech(3), 30, drop_clicks=True) == ""
    low = np.fft.rfft(speech(3))
    low[len(low) // 2 - 900:] = 0
    assert fault_of_speech(np.fft.irfft(low).astype(np.float32), 20) == "narrow"


def test_join():
    clips = [np.full(int(s * RATE), i + 1, np.float32) for i, s in enumerate((30, 30, 50, 64, 3, 3, 20, 39))]
    out = list(joined(clips))
    assert np.array_equal(np.concatenate(out), np.concatenate(clips))
    assert max(map(len, out)) <= LONGEST_SECONDS * RATE and len(out) == 4
    assert len(middle(clips[3], 10)) == 10 * RATE and len(middle(clips[4], 10)) == 3 * RATE


def test_choice():
    files = [(path, path, 1000) for path in ("a/x.wav", "a/deep/y.wav", "a/white.wav", "b/z.ogg")] + [("a/lfs.wav", "5", 130)]
    picked = chosen({"paths": "a/*|c/*", "without": "*white*"}, files)
    assert [f[0] for f in picked] == ["a/x.wav", "a/deep/y.wav"]


def test_running_maximum():
    x = np.random.default_rng(1).standard_normal((40, 30)).astype(np.float32)
    for axis, reach in ((0, 4), (1, 12), (1, 1)):
        y = np.moveaxis(running_maximum(x, reach, axis), axis, 0)
        z = np.moveaxis(x, axis, 0)
        assert all((y[i] == z[max(0, i - reach):i + reach + 1].max(0)).all() for i in range(len(z)))


def test_fingerprint():
    """A quiet cut in foreign noise is caught, with its name; strangers are not."""
    index = Index()
    for seed in range(8):
        index.add(f"tune {seed}", landmarks(tune(seed)))
    index.sort()
    noise = np.random.default_rng(99).standard_normal(5 * RATE)
    copy = 10 ** (-10 / 20) * tune(5)[33333:33333 + 5 * RATE] + 0.002 * noise
    name, share = index.nearest(landmarks(copy))
    assert name == "tune 5" and share > 10 * COPY_SHARE, (name, share)
    for stranger in (tune(50), noise, np.zeros(100, np.float32)):
        assert index.nearest(landmarks(stranger))[1] < COPY_SHARE


def test_recipe():
    """Other words about a source change nothing; another row, or other sounds to keep apart, build it again."""
    row = {"prefix": "a_", "paths": "*", "note": "words"}
    nothing, held = Index(), Index()
    held.add("tune", landmarks(tune(1)))
    held.sort()
    key = recipe(row, nothing)
    assert key == recipe({**row, "note": "other words"}, nothing)
    assert len({key, recipe({**row, "paths": "b"}, nothing), recipe(row, held)}) == 3


def test_a_folder_to_keep_apart_without_audio_is_refused():
    try:
        index_of(["nowhere"])
    except SystemExit as error:
        assert str(error).startswith("nowhere: no audio"), error
    else:
        raise AssertionError("nothing was kept apart")


if __name__ == "__main__":
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)

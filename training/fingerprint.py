"""Recognises a recording by its sound: landmarks, that is pairs of spectrogram peaks. 16 kHz samples in, hashes out.

A copy that was cut, made quieter or sent through a codec keeps most of its landmarks; a change of speed or pitch hides it.
"""
import numpy as np

WINDOW, HOP = 1024, 256                              # 16 ms steps
REACH_BINS, REACH_FRAMES = 12, 8                     # a peak tops everything within this reach
FAN, SPAN_FRAMES = 5, 63                             # each peak pairs with so many later ones, within 1 s
FEWEST_HITS = 10                                     # fewer than this may agree by chance


def running_maximum(x, reach, axis):
    """The largest value within +-reach along an axis: maxima of windows that double, then two that overlap."""
    x = np.moveaxis(x, axis, 0)
    x = np.pad(x, [(reach, reach)] + [(0, 0)] * (x.ndim - 1), constant_values=-np.inf)
    size, width = 1, 2 * reach + 1
    while 2 * size <= width:
        x = np.maximum(x[size:], x[:-size])
        size *= 2
    if size < width:
        x = np.maximum(x[width - size:], x[:size - width])
    return np.moveaxis(x, 0, axis)


def peaks(samples):
    """(frame, bin) of every spectrogram peak within 60 dB of the loudest, in order of time."""
    if len(samples) < WINDOW:
        samples = np.pad(samples, (0, WINDOW - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    level = np.log(np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32))) + 1e-9).astype(np.float32)
    top = running_maximum(running_maximum(level, REACH_BINS, 1), REACH_FRAMES, 0)
    return np.argwhere((level == top) & (level > level.max() - 6.9))


def landmarks(samples):
    """Hashes (9 bits of each bin, 6 of the distance) and the frame where each starts, two int64 arrays."""
    found = peaks(np.asarray(samples, np.float32))
    hashes, frames = [], []
    for step in range(1, FAN + 1):
        first, later = found[:-step], found[step:]
        distance = later[:, 0] - first[:, 0]
        near = distance <= SPAN_FRAMES
        hashes.append((first[:, 1] << 15 | np.minimum(later[:, 1], 511) << 6 | distance)[near])
        frames.append(first[near, 0])
    return np.concatenate(hashes).astype(np.int64), np.concatenate(frames).astype(np.int64)


class Index:
    """Landmarks of named recordings; finds the one that shares most with a new clip at one time offset."""

    def __init__(self):
        self.names, self.added = [], []
        self.hashes = self.owners = self.frames = np.zeros(0, np.int64)

    def add(self, name, marks):
        hashes, frames = marks
        self.added.append((hashes, np.full(len(hashes), len(self.names)), frames))
        self.names.append(name)

    def sort(self):
        if not self.added:
            return
        columns = [np.concatenate([old, *new]) for old, new in zip((self.hashes, self.owners, self.frames), zip(*self.added))]
        order = np.argsort(columns[0], kind="stable")
        self.hashes, self.owners, self.frames = (column[order] for column in columns)
        self.added = []

    def nearest(self, marks):
        """(name, share): the recording with most hits at one offset, and those hits as a share of the clip's own hashes.
        Sorting is dear, so recordings count in batches: the last 200 that were added are not looked at
        before `sort`."""
        if len(self.added) >= 200:
            self.sort()
        hashes, frames = marks
        low, high = np.searchsorted(self.hashes, hashes, "left"), np.searchsorted(self.hashes, hashes, "right")
        counts = high - low
        if not counts.sum():
            return "", 0.0
        clip = np.repeat(np.arange(len(hashes)), counts)
        where = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + low[clip]
        offset = self.frames[where] - frames[clip] + (1 << 20)
        keys, hits = np.unique(self.owners[where] << 22 | offset, return_counts=True)
        best = hits.argmax()
        if hits[best] < FEWEST_HITS:
            return "", 0.0
        return self.names[keys[best] >> 22], hits[best] / len(hashes)

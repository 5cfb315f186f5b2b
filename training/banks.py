"""Decode shards of training audio (tar of Ogg Opus or FLAC, 16 kHz mono) into banks: one int16 array per kind.

python -m training.banks SHARDS BANK adds every shard in SHARDS to BANK/{speech,noise}.npy and BANK/rooms.npy, so that shards
may arrive one after the other. Needs `opusdec` and `flac` on the PATH.
"""
import argparse
import glob
import os
import shutil
import subprocess
import tarfile
import tempfile
import wave
from concurrent.futures import ThreadPoolExecutor
import numpy as np

RATE, ROOM_SAMPLES = 16000, 8000
KINDS = ("speech", "noise", "rir")


def decode(recording):
    """(name, path) of one -> int16 samples at 16 kHz."""
    name, path = recording
    out = path + ".wav"
    tool = ["flac", "-dsf", "-o", out, path] if path.endswith(".flac") else \
        ["opusdec", "--quiet", "--rate", str(RATE), "--force-wav", path, out]
    run = subprocess.run(tool, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{name}: {' '.join(run.stderr.split()) or f'{tool[0]} ended with {run.returncode}'}")
    with wave.open(out) as w:
        if (w.getframerate(), w.getsampwidth()) != (RATE, 2):
            raise SystemExit(f"{name}: {w.getframerate()} Hz, {8 * w.getsampwidth()} bit; convert it to {RATE} Hz, 16 bit")
        samples = np.frombuffer(w.readframes(w.getnframes()), "<i2")[::w.getnchannels()]
    os.remove(out)
    return samples


def unpack(shard, folder):
    """(name, path) of the recordings in order of name, as files that are numbered: a name may lead out of the folder."""
    unpacked = []
    with tarfile.open(shard) as tar:
        recordings = (m for m in tar if m.isfile() and m.name.endswith((".opus", ".ogg", ".flac")))
        for member in sorted(recordings, key=lambda m: m.name):
            path = f"{folder}/{len(unpacked)}{os.path.splitext(member.name)[1]}"
            unpacked.append((f"{shard}: {member.name}", path))
            with open(path, "wb") as file:
                shutil.copyfileobj(tar.extractfile(member), file)
    return unpacked


def rooms(responses):
    """Impulse responses -> (K, 8000) float32, first arrival at the start, direct sound one."""
    out = np.zeros((len(responses), ROOM_SAMPLES), np.float32)
    for row, response in zip(out, responses):
        start = max(0, int(np.argmax(np.abs(response))) - 16)
        part = response[start:start + ROOM_SAMPLES].astype(np.float32)
        row[:len(part)] = part / np.abs(part).max()
    return out


def append(path, new):
    old = [np.load(path)] if os.path.exists(path) else []
    np.save(path, np.concatenate([*old, new]))


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("shards", metavar="SHARDS", help="folder of tar files: speech-*, noise-* and rir-*")
    p.add_argument("bank", metavar="BANK", help="folder that they are added to")
    a = p.parse_args()
    if absent := [tool for tool in ("flac", "opusdec") if not shutil.which(tool)]:
        p.error(f"not on the PATH: {' '.join(absent)}; apt install flac opus-tools")
    return a


def kind_of(shard):
    kind = os.path.basename(shard).split("-")[0]
    if kind not in KINDS:
        raise SystemExit(f"{shard}: {kind}, expected speech-*.tar, noise-*.tar or rir-*.tar")
    return kind


def main(shards, bank):
    kinds = {shard: kind_of(shard) for shard in sorted(glob.glob(f"{shards}/*.tar"))}
    if not kinds:
        raise SystemExit(f"{shards}: no *.tar; training.collect makes them")
    recordings = {kind: [] for kind in KINDS}
    for shard, kind in kinds.items():
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
            pieces = list(pool.map(decode, unpack(shard, folder)))
        recordings[kind] += pieces
        print(f"{os.path.basename(shard)}: {len(pieces)} files, {sum(map(len, pieces)) / RATE / 60:.1f} min", flush=True)
    os.makedirs(bank, exist_ok=True)        # written when all is decoded: a run that failed can be repeated
    for kind, pieces in recordings.items():
        if pieces and kind == "rir":
            append(f"{bank}/rooms.npy", rooms(pieces))
        elif pieces:
            append(f"{bank}/{kind}.npy", np.concatenate(pieces))


if __name__ == "__main__":
    main(**vars(arguments()))

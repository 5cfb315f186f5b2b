"""Builds shards of training audio from clones of public repositories: sources.csv in, noise-NN.tar and speech-NN.tar out.

python -m training.collect CLONES SHARDS --apart FOLDER... reads the sources table, finds each repository in CLONES (a clone,
bare or not, named owner+name), decodes the files that the table names, and packs what is not in the folders to be kept apart.
A source that was built before, with the same sounds kept apart, is not built again. Needs git, ffmpeg and opusenc.
AUDIO.md says what the sources are.
"""
import argparse
import csv
import fnmatch
import hashlib
import io
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np
from .fingerprint import Index, landmarks

RATE = 16000
FRAME = 320                                          # 20 ms
ACTIVE_DBFS, PEAK = -26, 0.9
SHARD_BYTES = 30 << 20
LONGEST_SECONDS, OWN_SECONDS = 65, 40                # of a recording; a clip or join that long is a recording of its own
KNOWN_SHARE = 0.1                                    # of one that another source has too
COPY_SHARE = 0.004                                   # of a clip's landmarks, shared at one offset: a copy, or part of one
AUDIO = re.compile(r"\.(wav|ogg|oga|flac|opus|mp3|m4a|aiff?)$", re.I)
KBPS = {"noise": 36, "speech": 40}
CORES = ThreadPoolExecutor(os.cpu_count())


def without_silence(samples, floor=1e-4, shortest=800):
    """Drops every run of digital silence (below -80 dBFS) of 50 ms or more."""
    quiet = np.concatenate([[False], np.abs(samples) < floor, [False]])
    edges = np.flatnonzero(np.diff(quiet))
    keep = np.ones(len(samples), bool)
    for start, end in edges.reshape(-1, 2):
        keep[start:end] = end - start < shortest
    return samples[keep]


def frame_powers(samples):
    """Mean square of each 20 ms frame; of the whole where it is shorter."""
    if len(samples) < FRAME:
        return np.array([np.mean(samples ** 2)])
    return np.mean(samples[:len(samples) // FRAME * FRAME].reshape(-1, FRAME) ** 2, 1)


def levelled(samples):
    """Set to -26 dBFS RMS over the active frames (within 30 dB of the loud ones), peak at most 0.9."""
    powers = frame_powers(samples)
    active = powers[powers > np.percentile(powers, 95) * 1e-3]
    gain = 10 ** (ACTIVE_DBFS / 20) / np.sqrt(active.mean())
    return samples * min(gain, PEAK / np.abs(samples).max())


def trimmed(samples, margin=2400):
    """Speech from 0.15 s before its first active frame to 0.15 s after its last."""
    powers = frame_powers(samples)
    active = np.flatnonzero(powers > np.percentile(powers, 95) * 1e-4)
    return samples[max(0, active[0] * FRAME - margin):(active[-1] + 1) * FRAME + margin]


def has_click(samples):
    """Whether a burst of 60 ms or less stands alone, 100 ms from all else: a mouse, a knock. In dB of the loud frames: -40."""
    powers = frame_powers(samples)
    active = np.concatenate([[False] * 5, powers > np.percentile(powers, 95) * 1e-4, [False] * 5])
    starts, ends = np.flatnonzero(np.diff(active.astype(int)) == 1), np.flatnonzero(np.diff(active.astype(int)) == -1)
    gaps = np.concatenate([[5], starts[1:] - ends[:-1], [5]])
    return bool(np.any((ends - starts <= 3) & (gaps[:-1] >= 5) & (gaps[1:] >= 5)))


def fault_of_speech(samples, range_db, drop_clicks=False):
    """Why an utterance is no clean target, or an empty string."""
    if len(samples) < RATE // 2:
        return "short"
    if np.mean(np.abs(samples) > 0.985 * np.abs(samples).max()) > 2e-4:
        return "clipped"
    low, high = np.percentile(frame_powers(samples), [5, 95])
    if 10 * np.log10(high / (low + 1e-12)) < range_db:
        return "noisy"
    if drop_clicks and has_click(samples):
        return "click"
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    quarter = len(spectrum) // 2
    if 10 * np.log10(spectrum[quarter:].sum() / spectrum.sum()) < -40:
        return "narrow"
    return ""


def middle(samples, seconds):
    start = max(0, (len(samples) - int(seconds * RATE)) // 2)
    return samples[start:start + int(seconds * RATE)]


def plain(data):
    """The samples of a WAV file that is 16-bit mono at 16 kHz already, or None."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE):
                return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    except (wave.Error, EOFError):
        pass


def decoded(files):
    """[(name, bytes)] of any audio format -> float32 mono at 16 kHz each; empty where one cannot be read."""
    out = [plain(data) for _, data in files]
    rest = [i for i, samples in enumerate(out) if samples is None]
    with tempfile.TemporaryDirectory() as folder:
        for i in rest:
            Path(folder, f"{i}{os.path.splitext(files[i][0])[1]}").write_bytes(files[i][1])
        list(CORES.map(lambda part: convert(folder, part, files), (rest[i::os.cpu_count()] for i in range(os.cpu_count()))))
        for i in rest:
            raw = Path(folder, f"{i}.f32")
            data = raw.read_bytes() if raw.exists() else b""
            out[i] = np.frombuffer(data[:len(data) // 4 * 4], np.float32)
    return out


def convert(folder, numbers, files):
    """One ffmpeg for many files, which saves its start; where one of them is broken, one for each."""
    if not numbers:
        return
    inputs = [word for i in numbers for word in ("-i", f"{i}{os.path.splitext(files[i][0])[1]}")]
    outputs = [word for at, i in enumerate(numbers)
               for word in ("-map", f"{at}:a:0", "-ac", "1", "-ar", str(RATE), "-f", "f32le", f"{i}.f32")]
    run = subprocess.run(["ffmpeg", "-v", "error", "-y", "-threads", "1", *inputs, *outputs], cwd=folder, capture_output=True,
                         stdin=subprocess.DEVNULL)
    if run.returncode and len(numbers) > 1:
        for i in numbers:
            convert(folder, [i], files)


def encoded(samples, kbps):
    pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return subprocess.run(["opusenc", "--quiet", "--bitrate", str(kbps), "--raw", "--raw-rate", str(RATE), "--raw-chan", "1",
                           "-", "-"], input=pcm, capture_output=True, check=True).stdout


class Repository:
    """One clone: names and blobs of a commit, without a work tree. Blobs that a partial copy lacks are not listed."""

    def __init__(self, clones, name, commit):
        folder = Path(clones) / name.replace("/", "+")
        places = [folder, folder / ".git", *folder.glob("*"), *folder.glob("*/.git")]
        self.dir = next((p for p in places if (p / "HEAD").exists() and (p / "objects").exists()), None)
        self.commit = commit or "HEAD"

    def git(self, *words, input=None):
        return subprocess.run(["git", f"--git-dir={self.dir}", *words], input=input, capture_output=True, check=True).stdout

    def read(self, blobs):
        """The contents of some blobs, by one git process."""
        stream = io.BytesIO(self.git("cat-file", "--batch", input="\n".join(blobs).encode()))
        out = []
        for _ in blobs:
            size = int(stream.readline().split()[2])
            out.append(stream.read(size))
            stream.read(1)
        return out

    def files(self):
        """(path, blob, bytes), in order of path, one of each blob."""
        seen, out = set(), []
        for line in self.git("ls-tree", "-r", "-l", "-z", self.commit).decode("utf8", "replace").split("\0"):
            head, _, path = line.partition("\t")
            if AUDIO.search(path) and head.split()[3].isdigit() and head.split()[2] not in seen:
                seen.add(head.split()[2])
                out.append((path, head.split()[2], int(head.split()[3])))
        return sorted(out)


def chosen(source, files):
    """The files of a source: those that match one of `paths` and none of `without`; no Git LFS pointers."""
    wanted, unwanted = source["paths"].split("|"), [w for w in source["without"].split("|") if w]
    fits = lambda path, globs: any(fnmatch.fnmatchcase(path, glob) for glob in globs)
    return [f for f in files if f[2] > 400 and fits(f[0], wanted) and not fits(f[0], unwanted)]


def group_of(source, path):
    """Clips are joined within a group only: a talker, a folder; the whole source where the table gives no pattern."""
    found = re.search(source["group"], path) if source["group"] else None
    return "_".join(found.groups()) if found else ""


def clip(source, samples):
    """One decoded file -> (samples as they go into a recording, landmarks, fault)."""
    samples = without_silence(samples)
    if len(samples) < RATE // 20 or not np.abs(samples).max() > 1e-3:
        return samples, None, "empty"
    fault = ""
    if source["kind"] == "speech":
        samples = trimmed(samples)
        fault = fault_of_speech(samples, float(source["range_db"] or 30), bool(source["drop_clicks"]))
    if not fault:
        samples = levelled(middle(samples, float(source["clip_seconds"] or 60)))
    return samples, None if fault else landmarks(samples), fault


def joined(clips):
    """Clips of one group, in order -> recordings: long ones alone, short ones together, none above 65 s."""
    part = []
    for samples in clips:
        if part and (sum(map(len, part)) + len(samples)) > LONGEST_SECONDS * RATE:
            yield np.concatenate(part)
            part = []
        part.append(samples)
        if sum(map(len, part)) >= OWN_SECONDS * RATE:
            yield np.concatenate(part)
            part = []
    if part:
        yield np.concatenate(part)


def in_turns(source, files, groups, limit):
    """The files in turns of 24, those left out whose group is full by then; shuffled where groups have a limit."""
    if source["group_minutes"]:
        random.Random(source["prefix"]).shuffle(files)
    full = lambda path: sum(map(len, groups.get(group_of(source, path), ()))) >= limit
    files = iter(files)
    while turn := list(itertools.islice((f for f in files if not full(f[0])), 24)):
        yield turn


def build(source, repository, apart, known, folder):
    """One source -> a folder of recordings and its report; what is in `apart` or `known` is left out."""
    limit = float(source["group_minutes"] or 1e9) * 60 * RATE
    groups, faults, used = {}, {}, []
    for turn in in_turns(source, chosen(source, repository.files()), groups, limit):
        paths, blobs, _ = zip(*turn)
        raw = decoded(list(zip(paths, repository.read(blobs))))
        for path, (samples, marks, fault) in zip(paths, CORES.map(lambda x: clip(source, x), raw)):
            if not fault:
                held, share = apart.nearest(marks)
                fault = f"held out: {held}" if share >= COPY_SHARE else "known" if known.nearest(marks)[1] >= KNOWN_SHARE else ""
            if fault:
                faults.setdefault(fault, []).append(path)
                continue
            groups.setdefault(group_of(source, path), []).append(samples)
            used.append({"path": path, "seconds": round(len(samples) / RATE, 2), "held_out_share": round(share, 4)})
            known.add(path, marks)
    folder.mkdir(parents=True, exist_ok=True)
    entries = [(group, i, samples) for group, clips in groups.items() for i, samples in enumerate(joined(clips))]
    recordings = list(CORES.map(lambda entry: written(source, folder, *entry), entries))
    return {"source": source, "recordings": recordings, "used": used, "left_out": faults}


def written(source, folder, group, i, samples):
    """One recording, encoded into the folder; its line of the report."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", group).strip("-").lower()
    file = f"{source['prefix']}{name + '_' if name else ''}{i:02}.opus"
    (folder / file).write_bytes(encoded(samples, KBPS[source["kind"]]))
    return {"file": file, "speaker": group, "seconds": round(len(samples) / RATE, 1)}


def shards_of(kind, entries, folder):
    """[(name in the tar, bytes)] -> tars kind-NN.tar of at most 30 MiB, older ones replaced; the tar of each entry."""
    shard_of, tar, size, names = [], None, SHARD_BYTES, []
    for name, data in entries:
        size += len(data) + 2048
        if size > SHARD_BYTES - 20480:
            if tar:
                tar.close()
            names.append(f"{kind}-{len(names):02}.tar")
            tar, size = tarfile.open(folder / f"{names[-1]}.new", "w", format=tarfile.USTAR_FORMAT), len(data) + 2048
        member = tarfile.TarInfo(name)
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
        shard_of.append(names[-1])
    if tar:
        tar.close()
    for old in folder.glob(f"{kind}-*.tar"):
        if old.name not in names:
            old.unlink()
    for name in names:
        os.replace(folder / f"{name}.new", folder / name)
    return shard_of


def pack(reports, parts, folder):
    """All recordings, in a seeded random order -> shards, manifest.csv and a line of minutes."""
    rows = []
    for kind in ("noise", "speech"):
        entries = [(r["source"], f) for r in reports if r["source"]["kind"] == kind for f in r["recordings"]]
        random.Random(1).shuffle(entries)
        data = ((f"{kind}/{f['file']}", (parts / s["prefix"].strip("_") / f["file"]).read_bytes()) for s, f in entries)
        for shard, (source, entry) in zip(shards_of(kind, data, folder), entries):
            rows.append([shard, f"{kind}/{entry['file']}", kind, source["repository"], entry["speaker"], source["licence"],
                         entry["seconds"]])
    with open(folder / "manifest.csv", "w", newline="") as file:
        csv.writer(file).writerows([["shard", "file", "kind", "source", "speaker", "licence", "seconds"], *rows])
    minutes = {kind: sum(row[-1] for row in rows if row[2] == kind) / 60 for kind in ("noise", "speech")}
    line = f"{time.strftime('%H:%M')} noise {minutes['noise']:.1f} min, speech {minutes['speech']:.1f} min in {len(rows)} recordings"
    with open(folder / "STATUS.txt", "a") as file:
        file.write(line + "\n")
    print(line, flush=True)


def audio_under(folder):
    """(name, bytes) of every audio file, and of every one in a tar, under a folder; or of a file."""
    for path in sorted([Path(folder), *Path(folder).rglob("*")]):
        if AUDIO.search(path.name):
            yield path.name, path.read_bytes()
        elif path.suffix == ".tar":
            with tarfile.open(path) as tar:
                yield from ((m.name, tar.extractfile(m).read()) for m in tar if AUDIO.search(m.name))


def index_of(folders):
    index = Index()
    for folder in folders:
        files, before = audio_under(folder), len(index.names)
        while turn := list(itertools.islice(files, 24)):
            for (name, _), samples in zip(turn, decoded(turn)):
                index.add(name, landmarks(samples))
        if len(index.names) == before:
            raise SystemExit(f"{folder}: no audio, expected a folder whose sounds are to be left out")
    index.sort()
    return index


def recipe(source, apart):
    """What decides what a source may give: its row but for the words, and the landmarks that it must not share."""
    row = {name: value for name, value in source.items() if value and name not in ("licence", "note")}
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode() + apart.hashes.tobytes()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones")
    parser.add_argument("shards", type=Path)
    parser.add_argument("--apart", nargs="*", default=[], help="folders whose sounds must not be in the shards: validation, test clips")
    parser.add_argument("--known", nargs="*", default=[], help="folders or shards whose sounds are in use already")
    parser.add_argument("--table", default=Path(__file__).with_name("sources.csv"))
    options = parser.parse_args()
    absent = [tool for tool in ("git", "ffmpeg", "opusenc") if not shutil.which(tool)]
    if absent:
        parser.error(f"not on the PATH: {' '.join(absent)}; apt install git ffmpeg opus-tools")
    with open(options.table, newline="") as file:
        sources = list(csv.DictReader(file))
    apart, known = index_of(options.apart), index_of(options.known)
    parts, reports = options.shards / "parts", []
    for source in sources:
        folder = parts / source["prefix"].strip("_")
        key = recipe(source, apart)
        done = folder / "report.json"
        report = json.loads(done.read_text()) if done.exists() else {}
        if report.get("key") != key:
            repository = Repository(options.clones, source["repository"], source["commit"])
            if not repository.dir:
                print(f"{source['prefix']}: no clone of {source['repository']} in {options.clones}; left out", flush=True)
                continue
            report = {"key": key, **build(source, repository, apart, known, folder)}
            done.write_text(json.dumps(report))
            minutes = sum(r["seconds"] for r in report["recordings"]) / 60
            faults = {k: len(v) for k, v in report["left_out"].items()}
            print(f"{source['prefix']}: {minutes:.1f} min of {len(report['used'])} clips; left out {faults}", flush=True)
        reports.append(report)
    if not reports:
        raise SystemExit(f"{options.clones}: no clone of any source; expected folders named owner+name")
    pack(reports, parts, options.shards)


if __name__ == "__main__":
    main()

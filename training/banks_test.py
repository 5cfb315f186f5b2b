"""A bank holds what the shards hold: in order of name, at the right rate, and nothing is written elsewhere.   python -m training.banks_test

Needs no decoder: what the shards here call FLAC is WAV, and a `flac` that copies it stands first on the PATH.
"""
import contextlib
import glob
import io
import os
import tarfile
import tempfile
import wave
import numpy as np
from .banks import main, unpack


def shard(path, files):
    with tarfile.open(path, "w") as tar:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def wav(samples, rate=16000):
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


@contextlib.contextmanager
def standing_in(decoder='cp "$4" "$3"'):
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/flac", "w") as program:
            program.write(f"#!/bin/sh\n{decoder}\n")
        os.chmod(program.name, 0o755)
        path = os.environ["PATH"]
        os.environ["PATH"] = f"{folder}:{path}"
        yield
        os.environ["PATH"] = path


def refused(name, data, **changes):
    """What is said about a folder with this shard of one recording."""
    with tempfile.TemporaryDirectory() as folder, standing_in(**changes):
        shard(f"{folder}/{name}", [("speech/a.flac", data)])
        try:
            main(folder, f"{folder}/bank")
        except SystemExit as end:
            return str(end).replace(folder, "", 1)
    raise AssertionError("it was taken")


def test_a_bank_is_its_shards_in_order_of_name():
    first, second = np.arange(500), -np.arange(700)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()), standing_in():
        shard(f"{folder}/speech-00.tar", [("speech/b.flac", wav(second)), ("speech/a.flac", wav(first)), ("speech/note.txt", b"?")])
        main(folder, folder)
        assert np.load(f"{folder}/speech.npy").tolist() == [*first, *second]


def test_names_do_not_lead_out_of_the_folder():
    with tempfile.TemporaryDirectory() as folder:
        inside = f"{folder}/a/b"
        os.makedirs(inside)
        shard(f"{folder}/x.tar", [("c/in.opus", b"in"), ("c/../../../out.opus", b"out"), ("/tmp/absolute.opus", b"absolute")])
        assert [open(path, "rb").read() for _, path in unpack(f"{folder}/x.tar", inside)] == [b"absolute", b"out", b"in"]
        assert sorted(os.listdir(folder)) == ["a", "x.tar"] and len(os.listdir(inside)) == 3


def test_another_rate_is_refused():
    assert refused("speech-00.tar", wav(np.arange(500), 48000)) == "/speech-00.tar: speech/a.flac: 48000 Hz, 16 bit; convert it to 16000 Hz, 16 bit"


def test_what_cannot_be_decoded_leaves_the_bank_as_it_was():
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()), standing_in('grep -q good "$4" && cp "$4" "$3"'):
        for kind in ("noise", "speech"):
            shard(f"{folder}/{kind}-00.tar", [("a.flac", b"bad" if kind == "speech" else wav(np.arange(5)) + b"good")])
        try:
            main(folder, folder)
        except SystemExit:
            assert not glob.glob(f"{folder}/*.npy")
        else:
            raise AssertionError("it was taken")


def test_what_cannot_be_decoded_is_named():
    said = refused("noise-00.tar", b"no sound", decoder="echo 'not a FLAC file' >&2; false")
    assert said == "/noise-00.tar: speech/a.flac: not a FLAC file", said


def test_a_folder_without_shards_and_a_shard_of_no_kind_are_refused():
    assert refused("speech-00.zip", b"") == ": no *.tar; training.collect makes them"
    assert refused("music-00.tar", b"") == "/music-00.tar: music, expected speech-*.tar, noise-*.tar or rir-*.tar"


if __name__ == "__main__":
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)

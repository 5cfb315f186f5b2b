"""Checkpoint files come back as they were written; what is none is refused in one line.   python -m training.safetensors_io_test"""
import json
import os
import tempfile
import numpy as np
from .safetensors_io import read, write

CONFIG = {"version": 1}
NETWORK = {"__metadata__": {"attenuate": json.dumps(CONFIG)}}


def held(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(**changes):
    return {**NETWORK, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


def read_bytes(content):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/some.safetensors"
        with open(path, "wb") as file:
            file.write(content)
        return read(path)


def refused(content):
    """What is said about the file."""
    try:
        read_bytes(content)
    except SystemExit as end:
        text = str(end)
        assert "\n" not in text and "some.safetensors: " in text and "; expected a checkpoint" in text, text
        return text.split("some.safetensors: ")[1].split("; expected")[0]
    raise AssertionError(f"{content[:80]} was read")


def test_what_was_written_is_read():
    tensors = {"b": np.float32([[1, 2, 3]]), "a": np.float16(0.5), "c": np.zeros((0, 4))}
    with tempfile.TemporaryDirectory() as folder:
        write(f"{folder}/x.safetensors", tensors, CONFIG)
        found, config = read(f"{folder}/x.safetensors")
    assert config == CONFIG and found.keys() == tensors.keys()
    for name, array in tensors.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array) and found[name].shape == array.shape, name


def test_bfloat16_is_read_as_the_compiler_reads_it():
    header = {**tensor(dtype="BF16", data_offsets=[0, 4]), "g": {"dtype": "BF16", "shape": [], "data_offsets": [4, 6]}}
    tensors, _ = read_bytes(held(header, bytes.fromhex("803f 40c0 003e")))
    assert tensors["w"].tolist() == [1, -3] and tensors["g"].shape == () and tensors["g"] == 0.125


def test_a_file_cut_short_or_of_another_kind_is_refused():
    assert refused(b"") == "header of 0 bytes in a file of 0"
    assert refused(held(b"{}", length=1000)) == "header of 1000 bytes in a file of 10"
    assert refused(held(b"PK\x03\x04\xff\xfe")) == "header: no JSON"
    assert refused(held([])) == "header: [], no JSON object"
    assert refused(held(tensor(), bytes(5))) == "tensor w: bytes 0 to 8 of 5 for the 8 of shape [2]"


def test_a_file_without_a_network_is_refused():
    for header in ({}, {"__metadata__": {}}, {"__metadata__": {"attenuate": 3}}, {"__metadata__": {"attenuate": "base"}}):
        assert refused(held(header)) == "attenuate in __metadata__: no JSON", header
    assert refused(held({"__metadata__": [1]})) == "__metadata__: [1], no JSON object"


def test_a_tensor_that_is_none_is_refused():
    for changes, said in (
            ({"dtype": "I8"}, "number type I8, none of F64, F32, F16, BF16"),
            ({"dtype": None}, "number type None, none of F64, F32, F16, BF16"),
            ({"shape": [3]}, "bytes 0 to 8 of 8 for the 12 of shape [3]"),
            ({"shape": [-1, -2]}, "shape [-1, -2], offsets [0, 8]"),
            ({"data_offsets": [0, 80]}, "bytes 0 to 80 of 8 for the 8 of shape [2]"),
            ({"data_offsets": [-8, 0]}, "shape [2], offsets [-8, 0]"),
            ({"data_offsets": ["a", 8]}, "shape [2], offsets ['a', 8]"),
            ({"data_offsets": [0]}, "shape [2], offsets [0]")):
        assert refused(held(tensor(**changes), bytes(8))) == f"tensor w: {said}", changes
    assert refused(held({**NETWORK, "w": 3})) == "tensor w: 3, no JSON object"


def test_a_file_that_is_not_there_is_named():
    try:
        read("nowhere.safetensors")
    except SystemExit as end:
        assert str(end).startswith("nowhere.safetensors: No such file or directory; expected a checkpoint"), end
    else:
        raise AssertionError("read")


def test_infinities_are_not_written():
    with tempfile.TemporaryDirectory() as folder:
        try:
            write(f"{folder}/x.safetensors", {"w": np.float16([np.inf])}, CONFIG)
        except SystemExit as end:
            assert "x.safetensors: tensor w: holds infinities" in str(end), end
        else:
            raise AssertionError("written")
        assert not os.listdir(folder)


if __name__ == "__main__":
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)

"""Checkpoint files (quantize/CHECKPOINT.md): NumPy arrays and the `attenuate` JSON in a safetensors container.

`write(path, {name: array}, config)` and `read(path) -> (tensors, config)`; arrays are float64, float32 or float16, and what a file
holds as bfloat16 is read as float32.
Layout: u64 header bytes, JSON header padded with spaces to 8 bytes, data in ascending order of name without gaps,
little-endian. Equal content gives equal bytes.
"""
import json
import numpy as np

DTYPES = {"F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
STORED = {**DTYPES, "BF16": np.dtype("<u2")}         # the upper half of a float32
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def write(path, tensors, config):
    header = {"__metadata__": {"attenuate": json.dumps(config, separators=(",", ":"))}}
    blobs, end = [], 0
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        dtype = array.dtype.newbyteorder("<")
        if dtype not in NAMES:
            raise TypeError(f"tensor {name}: number type {array.dtype}; convert to float64, float32 or float16")
        if not np.isfinite(array).all():
            raise ValueError(f"tensor {name}: holds infinities or NaN; train again or store it with more bits")
        blob = np.ascontiguousarray(array, dtype).tobytes()
        header[name] = {"dtype": NAMES[dtype], "shape": list(array.shape), "data_offsets": [end, end + len(blob)]}
        blobs.append(blob)
        end += len(blob)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def read(path):
    """({name: array}, config); arrays keep the number type of the file, config is None where there is none."""
    with open(path, "rb") as file:
        content = file.read()
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise ValueError(f"{path}: header of {length} bytes in a file of {len(content)}; not safetensors or cut short")
    header = json.loads(content[8:8 + length])
    data = memoryview(content)[8 + length:]
    metadata = header.pop("__metadata__", {})
    tensors = {name: tensor(path, name, entry, data) for name, entry in header.items()}
    return tensors, json.loads(metadata["attenuate"]) if "attenuate" in metadata else None


def tensor(path, name, entry, data):
    dtype = STORED.get(entry["dtype"])
    if dtype is None:
        raise ValueError(f"{path}: tensor {name}: number type {entry['dtype']}; use one of {', '.join(STORED)}")
    begin, end = entry["data_offsets"]
    count = int(np.prod(entry["shape"]))
    if end - begin != count * dtype.itemsize or end > len(data):
        raise ValueError(f"{path}: tensor {name}: {end - begin} bytes for shape {entry['shape']}; the file is damaged")
    numbers = np.frombuffer(data[begin:end], dtype)
    if entry["dtype"] == "BF16":
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    return numbers.reshape(entry["shape"]).copy()

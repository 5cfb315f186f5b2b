"""Checkpoint files (quantize/CHECKPOINT.md): NumPy arrays and the `attenuate` JSON in a safetensors container.

`write(path, {name: array}, config)` and `read(path) -> (tensors, config)`; arrays are float64, float32 or float16, and what a file
holds as bfloat16 is read as float32.
Layout: u64 header bytes, JSON header padded with spaces to 8 bytes, data in ascending order of name without gaps,
little-endian. Equal content gives equal bytes.
"""
import json
import math
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
            raise SystemExit(f"{path}: tensor {name}: holds infinities or NaN; train again or store it with more bits")
        blob = np.ascontiguousarray(array, dtype).tobytes()
        header[name] = {"dtype": NAMES[dtype], "shape": list(array.shape), "data_offsets": [end, end + len(blob)]}
        blobs.append(blob)
        end += len(blob)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def read(path):
    """({name: array}, config); arrays keep the number type of the file. A file that is none ends the program with one line."""
    try:
        with open(path, "rb") as file:
            content = file.read()
        length = int.from_bytes(content[:8], "little")
        if len(content) < 8 or length > len(content) - 8:
            raise ValueError(f"header of {length} bytes in a file of {len(content)}")
        header, data = parsed("header", content[8:8 + length]), memoryview(content)[8 + length:]
        config = parsed("attenuate in __metadata__", mapping("__metadata__", header.pop("__metadata__", {})).get("attenuate"))
        return {name: tensor(name, mapping(f"tensor {name}", entry), data) for name, entry in header.items()}, config
    except (OSError, ValueError) as fault:
        raise SystemExit(f"{path}: {getattr(fault, 'strerror', None) or fault}; expected a checkpoint in safetensors, whole (quantize/CHECKPOINT.md)") from None


def parsed(what, text):
    try:
        value = json.loads(text)
    except (ValueError, TypeError):
        raise ValueError(f"{what}: no JSON") from None
    return mapping(what, value)


def mapping(what, value):
    if not isinstance(value, dict):
        raise ValueError(f"{what}: {json.dumps(value):.40}, no JSON object")
    return value


def tensor(name, entry, data):
    dtype, shape, offsets = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if dtype not in list(STORED):
        raise ValueError(f"tensor {name}: number type {dtype}, none of {', '.join(STORED)}")
    if not sizes(shape) or not sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"tensor {name}: shape {shape}, offsets {offsets}")
    begin, end = offsets
    needed = math.prod(shape) * STORED[dtype].itemsize
    if end - begin != needed or end > len(data):
        raise ValueError(f"tensor {name}: bytes {begin} to {end} of {len(data)} for the {needed} of shape {shape}")
    numbers = np.frombuffer(data[begin:end], STORED[dtype])
    if dtype == "BF16":
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    return numbers.reshape(shape).copy()


def sizes(value):
    return isinstance(value, list) and all(isinstance(n, int) and n >= 0 for n in value)

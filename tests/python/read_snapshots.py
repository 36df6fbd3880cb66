"""Counts replies and captures per epoch and endpoint, written from docs/snapshot-format.md alone."""

import json
import pathlib
import sys

import zstandard

MAGIC = (0xFD2FB528).to_bytes(4, "little")


def frames(data):
    """Every whole frame. Preambles are hints for readers in a hurry; this one passes over them."""
    at = data.find(MAGIC)
    while at >= 0:
        unpacker = zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj()
        step = 4
        try:
            text = unpacker.decompress(memoryview(data)[at:])
            if unpacker.eof:
                step = len(data) - at - len(unpacker.unused_data)
                if text.startswith(b'{"frame":'):
                    yield text
        except zstandard.ZstdError:
            pass  # damaged: the next frame may be whole
        at = data.find(MAGIC, at + step)


def count(paths):
    epochs, seen = {}, set()
    for path in paths:
        for frame in frames(path.read_bytes()):
            first, *lines = [json.loads(line) for line in frame.split(b"\n") if line]
            first = first["frame"]
            if (first["epoch"], first["n"]) in seen:
                continue
            seen.add((first["epoch"], first["n"]))
            epoch = epochs.setdefault(first["epoch"], {"complete": False, "endpoints": {}})
            for line in lines:
                kind = next(iter(line))
                if kind in ("reply", "capture"):
                    totals = epoch["endpoints"].setdefault(first["endpoint"], {})
                    totals[kind] = totals.get(kind, 0) + 1
                if kind == "end":
                    epoch["complete"] = line["end"]["complete"]
    return epochs


found = [path for name in sys.argv[1:] for path in sorted(pathlib.Path(name).rglob("*.ndjson.zst*"))]
json.dump(count(found), sys.stdout, sort_keys=True)

"""Read a set of golden vectors with no more than json and numpy; README.md says what is in it.

python vectors/read.py [FOLDER]        how many vectors of each cell have which result
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
OVER_TIME = ("y", "dx", "dattention")


def read(folder: str | Path) -> dict[str, dict[str, Any]]:
    """Return every vector by its ID: its record, and with it `in`, `want` and `got`, arrays by name."""
    index = json.loads((Path(folder) / "index.json").read_text("utf-8"))
    if (index["schema"], index["version"]) != ("rnn-crosscheck-golden", 1):
        raise ValueError(f"not a set of version 1: {folder}")
    vectors = {}
    for entry in index["files"]:
        for vector in json.loads((Path(folder) / entry["records"]["name"]).read_text("utf-8"))["vectors"]:
            vectors[vector["id"]] = {**vector, "in": {}, "want": {}, "got": {}}
        for key, array in tensors(Path(folder) / entry["arrays"]["name"]).items():
            of, part, name = key.split("/")
            vectors[of][part][name] = array
    for vector in vectors.values():
        if "of" in vector:
            vector["in"], vector["want"] = (vectors[vector["of"]][part] for part in ("in", "want"))
    return vectors


def tensors(path: Path) -> dict[str, Any]:
    """Return the arrays of a safetensors file by name."""
    data = memoryview(path.read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(bytes(data[8:start]))
    header.pop("__metadata__", None)
    parts = {name: data[start:][slice(*of["data_offsets"])] for name, of in header.items()}
    return {name: np.frombuffer(parts[name], DTYPES[of["dtype"]]).reshape(of["shape"]) for name, of in header.items()}


def outside(vector: dict[str, Any], name: str, got: Any) -> Any:
    """Return where an array that was returned for a vector is out of bounds."""
    want = vector["want"][name].astype("f8")
    bound = np.full(want.shape, vector["bounds"][name])
    if vector["lengths"] is not None and name in OVER_TIME:
        padding = np.arange(vector["T"])[:, None] >= np.array(vector["lengths"])  # (T, B)
        bound[padding.T if vector["spec"].get("axes") == "BT" else padding] = 0
    return ~(np.abs(np.asarray(got, "f8") - want) <= bound)


if __name__ == "__main__":
    every = [*read(sys.argv[1] if sys.argv[1:] else Path(__file__).parent).values()]
    for cell in ("rnn_tanh", "rnn_relu", "lstm", "gru"):
        results = [vector["result"] for vector in every if vector["spec"]["cell"] == cell]
        print(f"{cell:8}", *(f"{results.count(result):5} {result}" for result in ("valid", "invalid", "acceptable")))

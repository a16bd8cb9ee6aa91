"""The tensors of model files, by digest. Pickles are not among them: opening one runs its code."""

from __future__ import annotations

import hashlib
from typing import Any

from reprocheck.errors import OpaqueError
from reprocheck.model import Tensors

GRAPH = "(graph)"
"""The name under which all of an ONNX model that is no weight is kept."""


def read_safetensors(data: bytes) -> Tensors:
    """The tensors of a safetensors file; its metadata is no part of them."""
    import safetensors

    deserialize: Any = safetensors.deserialize  # not typed
    # Raw bytes: numpy knows no bfloat16, and no 8-bit floats.
    return Tensors(
        digests={
            name: f"{tensor['dtype']}{tensor['shape']}:{_sha256(tensor['data'])}"
            for name, tensor in deserialize(data)
        }
    )


def read_onnx(data: bytes) -> Tensors:
    """The weights of an ONNX model, and its graph without them. Needs the extra `onnx`."""
    try:
        import onnx
    except ImportError as error:
        raise OpaqueError("ONNX files are read where reprocheck[onnx] is installed") from error
    model = onnx.load_model_from_string(data)
    digests = {}
    for tensor in model.graph.initializer:
        digests[tensor.name] = _onnx_tensor(tensor)
    # What is left says how the weights are used; who wrote it, and when, is no part of that.
    for name in ("producer_name", "producer_version", "doc_string", "metadata_props"):
        model.ClearField(name)
    model.graph.ClearField("initializer")
    model.graph.ClearField("doc_string")
    digests[GRAPH] = f"graph:{_sha256(model.SerializeToString(deterministic=True))}"
    return Tensors(digests=digests)


def _onnx_tensor(tensor: Any) -> str:  # noqa: ANN401  (onnx.TensorProto)
    from onnx import TensorProto, numpy_helper

    head = f"{TensorProto.DataType.Name(tensor.data_type)}{list(tensor.dims)}"
    if tensor.data_location == TensorProto.EXTERNAL:
        # Weights in a file beside the model are a product of their own; no path of it is opened.
        return f"{head}:{_sha256(tensor.SerializeToString(deterministic=True))}"
    return f"{head}:{_sha256(numpy_helper.to_array(tensor).tobytes())}"


def _sha256(data: bytes | bytearray) -> str:
    return hashlib.sha256(data).hexdigest()

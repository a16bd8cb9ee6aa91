"""What is read of a product, and that no file makes reading it fail."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reprocheck import arrays, numeric_text
from reprocheck.model import Numbers, Product, Tensors
from reprocheck.products import is_readable, opaque, with_content


def product(name: str, data: bytes, folder: Path) -> Product:
    file = folder / name
    file.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return with_content(Product(path=f"out/{name}", sha256=digest, size=len(data)), file)


@pytest.fixture
def read(tmp_path):
    return lambda name, data: product(name, data, tmp_path)


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def safetensors(**tensors: tuple[str, list[int], bytes]) -> bytes:
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        ends = [len(data), len(data) + len(content)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": ends}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def onnx_model(weight: float, version: str = "1", shape: tuple[int, ...] = (2,)) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    initial = numpy_helper.from_array(np.full(shape, weight, "float32"), "w")
    put_in = helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, list(shape))
    node = helper.make_node("Add", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "net", [put_in], [out], [initial])
    return helper.make_model(graph, producer_version=version).SerializeToString()


def test_json_is_numbers_and_the_rest(read):
    one = read("a.json", b'{"b": [1, 2.5, null, true, "7"], "a": -3e2}').content
    assert isinstance(one, Numbers)
    assert one.values == (-300.0, 1.0, 2.5)
    assert one.skeleton == read("b.json", b'{"a":9, "b":[8,7,null,true,"7"]}').content.skeleton
    for other in (
        b'{"b": [1, 2.5, null, true, "8"], "a": -3e2}',
        b'{"b": [1, 2.5, null, false, "7"], "a": -3e2}',
        b'{"b": [1, 2.5, null, true, "7", 4], "a": -3e2}',
        b'{"c": [1, 2.5, null, true, "7"], "a": -3e2}',
        b'{"b": [[1], 2.5, null, true, "7"], "a": -3e2}',
    ):
        assert read("c.json", other).content.skeleton != one.skeleton, other


def test_numbers_grouped_otherwise_are_another_structure(read):
    one, other = (read("a.json", text).content for text in (b"[[1], 2]", b"[[1, 2]]"))
    assert one.values == other.values and one.skeleton != other.skeleton


def test_an_integer_beyond_the_doubles_is_a_name(read):
    one, other = (read("a.json", f"[{2**53 + n}]".encode()).content for n in (1, 2))
    assert one.values == () and one.skeleton != other.skeleton


def test_non_finite_numbers_are_numbers(read):
    found = read("a.json", b"[NaN, -Infinity]").content
    assert repr(found.values) == "(nan, -inf)"
    assert repr(read("a.csv", b"x\nnan\n-inf\n").content.values) == "(nan, -inf)"


@pytest.mark.parametrize("text", [b"id,p\na,0.5\nb,1\n", b"id\tp\na\t0.5\nb\t1\n",
                                  b"\xef\xbb\xbfid;p\r\na;0.5\r\nb;1\r\n"])  # fmt: skip
def test_a_table_is_numbers_and_the_rest(read, text):
    found = read("a.csv", text).content
    assert found.values == (0.5, 1.0)
    assert found.skeleton == read("b.csv", b"id,p\na,7\nb,8\n").content.skeleton
    assert found.skeleton != read("c.csv", b"id,p\na,7\nc,8\n").content.skeleton


def test_json_lines_are_documents(read):
    assert read("a.jsonl", b'{"x": 1}\n\n{"x": 2}\n').content.values == (1.0, 2.0)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4", "int8", "uint64"])
def test_an_array_is_its_numbers(read, dtype):
    found = read("a.npy", npy(np.asfortranarray([[1, 2, 3], [4, 5, 6]], dtype))).content
    assert found.values == (1, 2, 3, 4, 5, 6)
    assert found.dtype == {"float16": "float16", "float32": "float32", ">f4": "float32"}.get(
        dtype, "float64"
    )
    flat = read("b.npy", npy(np.array([1, 2, 3, 4, 5, 6], dtype))).content
    assert flat.skeleton != found.skeleton


def test_byte_order_and_layout_of_an_array_do_not_matter(read):
    texts = np.array([["a", "b"], ["c", "d"]])
    one = read("a.npz", npz(t=texts, x=np.array([1.5], "<f4"))).content
    other = read("b.npz", npz(x=np.array([1.5], ">f4"), t=np.asfortranarray(texts.astype(">U1"))))
    assert one == other.content
    assert one.values == (1.5,)
    assert read("c.npz", npz(x=np.float32([1.5]), t=texts.T)).content != one


def test_complex_numbers_are_two(read):
    assert read("a.npy", npy(np.array([1 + 2j], "complex64"))).content.values == (1.0, 2.0)


def test_many_weights_are_tensors_and_too_many_numbers_a_digest(read, monkeypatch):
    monkeypatch.setattr(arrays, "MOST_NUMBERS", 3)
    monkeypatch.setattr(numeric_text, "MOST_NUMBERS", 3)
    content = read("a.npz", npz(w=np.zeros((2, 2)), b=np.ones(2))).content
    assert isinstance(content, Tensors)
    assert content.digests["w"].startswith("<f8[2, 2]:")
    for name, data in {"a.npy": npy(np.zeros(4)), "a.json": b"[1,2,3,4]"}.items():
        found = read(name, data)
        assert found.content is None and "more than 3 numbers" in found.opaque


def test_safetensors_are_tensors_bfloat16_too(read):
    made = safetensors(w=("BF16", [2], b"\1\2\3\4"), b=("F32", [1, 1], b"\0\0\0\0"))
    found = read("m.safetensors", made).content
    assert isinstance(found, Tensors)
    digest = hashlib.sha256(b"\1\2\3\4").hexdigest()
    assert found.digests["w"] == f"BF16[2]:{digest}"
    assert set(found.digests) == {"w", "b"}


def test_onnx_is_weights_and_a_graph_whoever_wrote_it(read):
    pytest.importorskip("onnx")
    one = read("m.onnx", onnx_model(1.0)).content
    assert set(one.digests) == {"w", "(graph)"}
    assert one == read("n.onnx", onnx_model(1.0, version="2")).content
    other = read("o.onnx", onnx_model(2.0)).content
    assert other.digests["w"] != one.digests["w"]
    assert other.digests["(graph)"] == one.digests["(graph)"]


def test_onnx_without_its_package_is_told(read, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    assert "reprocheck[onnx]" in read("m.onnx", b"").opaque


def header_of(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy(np.zeros(2**18)))
    return stream.getvalue()


def packed(method: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("x.npy", npy(np.zeros(1)))
    return stream.getvalue()


HOSTILE = {
    "deep.json": b"[" * 200_000 + b"]" * 200_000,
    "broken.json": b'{"a": ',
    "latin.json": b'{"a": "\xe9"}',
    "huge-integer.json": b"[" + b"9" * 10_000 + b"]",
    "overflow.json": b"[1e999, -1e999]",
    "surrogate.json": rb'["\ud800", {"\udfff": 1}]',
    "empty.json": b"",
    "nul.csv": b"a,b\n\0,1\n",
    "wide.csv": b'"' + b"x" * 200_000,
    "empty.csv": b"",
    "huge.npy": header_of("{'descr': '<f8', 'fortran_order': False, 'shape': (10**13,)}"),
    "much.npy": header_of("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999,)}"),
    "negative.npy": header_of("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}") + b"7",
    "void.npy": header_of("{'descr': '|V0', 'fortran_order': False, 'shape': (99999,)}"),
    "nothing.npy": header_of("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 10000000)}"),
    "nested.npy": header_of("(" * 5000),
    "objects.npy": npy(np.array([{"a": 1}], dtype=object)),
    "pickle.npy": pickle.dumps([1]),
    "cut.npy": npy(np.zeros(9))[:-3],
    "bomb.npz": bomb(),
    "lzma.npz": packed(zipfile.ZIP_LZMA),
    "objects.npz": npz(a=np.array([{"a": 1}], dtype=object)),
    "cut.npz": npz(a=np.arange(99))[:-30],
    "none.npz": b"PK\5\6" + bytes(18),
    "header.safetensors": struct.pack("<Q", 2**60) + b"{}",
    "outside.safetensors": safetensors(w=("F32", [2**40], b"")),
    "cut.onnx": b"\x08\x07\x3a\xff\xff\xff\xff\x0f",
    "empty.onnx": b"",
}


TOLD = {
    "deep.json": "no json file",
    "broken.json": "no json file",
    "huge-integer.json": "no json file",
    "much.npy": "not that of the array",
    "objects.npy": "pickled objects",
    "pickle.npy": "no npy file",
    "cut.npy": "not that of the array",
    "bomb.npz": "unpacks to more than 1 MB",
    "lzma.npz": "packed in a way",
    "objects.npz": "pickled objects",
    "cut.npz": "no npz file",
    "header.safetensors": "no safetensors file",
    "outside.safetensors": "no safetensors file",
    "cut.onnx": "no onnx file",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_compared_by_its_digest(read, monkeypatch, name):
    monkeypatch.setattr(arrays, "MOST_UNPACKED", 2**20)
    found = read(name, HOSTILE[name])
    assert found.sha256 == hashlib.sha256(HOSTILE[name]).hexdigest()
    assert (found.content is None) == bool(found.opaque)
    assert TOLD.get(name, "") in found.opaque


def test_a_hostile_onnx_model_reads_no_file_beside_it(read, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load_model_from_string(onnx_model(1.0))
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    found = read("m.onnx", model.SerializeToString())
    assert found.content.digests["w"].startswith("FLOAT[2]:")


def test_a_file_that_is_too_large_or_has_changed_is_not_read(tmp_path):
    (tmp_path / "a.json").write_text("[1]")
    large = Product(path="a.json", sha256="0" * 64, size=2**40)
    assert "larger than 16 MB" in with_content(large, tmp_path / "a.json").opaque
    other = Product(path="a.json", sha256="0" * 64, size=3)
    assert "has changed" in with_content(other, tmp_path / "a.json").opaque
    assert "no longer" in with_content(other, tmp_path / "gone.json").opaque


def test_pickles_are_told_from_other_kinds():
    assert not is_readable("model/model.pkl") and is_readable("MODEL.SafeTensors")
    told = [opaque(Product(path=p, sha256="0", size=1)).opaque for p in ("a.pt", "a.png")]
    assert "never opened" in told[0] and "kind" in told[1]

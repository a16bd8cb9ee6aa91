"""hardware: the record's words for a machine, and where two of them differ."""

import dataclasses

import pytest

from reprocheck import schema
from reprocheck.hardware import NAMES, beside, findings_of, from_facts, parse, texts
from reprocheck.model import Hardware, HardwareGrade, Severity

WHOLE = Hardware(
    cpu_model="AMD EPYC 7763",
    cpu_count=16,
    isa=("sse4_2", "avx2", "fma"),
    blas=("openblas 0.3.28",),
    blas_core=("Haswell",),
    threads={"blas": 16, "openmp": 16},
    memory_bytes=64_000_000_000,
    gpu_count=2,
    gpus=("NVIDIA A100", "NVIDIA A100"),
    gpu_memory_bytes=42_949_672_960,
    gpu_driver="535.161.08",
    cuda="12.1",
    world_size=2,
    platform="Linux x86_64",
    os="Debian",
    libc="glibc 2.36",
)


def sides(asked=WHOLE, **changes):
    return beside(asked, {}, dataclasses.replace(WHOLE, **changes))


def without(*names: str) -> Hardware:
    return dataclasses.replace(WHOLE, **dict.fromkeys(names))


def test_what_is_written_is_read_back():
    assert parse(texts(WHOLE)) == WHOLE
    none = dataclasses.replace(WHOLE, gpus=(), gpu_count=0, blas=(), blas_core=(), threads={})
    assert parse(texts(none)) == none
    assert texts(Hardware()) == {}


def test_the_records_schema_names_every_field():
    named = schema.load("run")["properties"]["hardware"]["properties"]
    assert tuple(named) == NAMES
    example = schema.load("run")["properties"]["hardware"]["examples"][0]
    assert {*texts(parse(example)), "OMP_NUM_THREADS"} == {*example, "gpu_count"}


def test_what_is_not_understood_is_not_known():
    told = parse({"cpu_count": "many", "memory_bytes": "", "threads": "?", "gpu": "x", "GPUS": "2"})
    assert told == Hardware(gpu_count=2, threads={})


def test_the_same_machine_is_known_only_where_every_deciding_field_is():
    assert sides().same is True
    for name in ("cpu_model", "cpu_count", "isa", "blas", "blas_core", "threads", "gpus"):
        assert sides(without(name)).same is None, name
        assert name in sides(without(name)).lacking
    assert sides(without("gpu_driver", "cuda")).lacking == ("gpu_driver", "cuda")
    assert sides(without("world_size")).same is None
    assert sides(without("memory_bytes", "os", "libc", "gpu_memory_bytes")).same is True
    assert sides(Hardware()).same is None


@pytest.mark.parametrize(
    "change",
    [
        *({"cpu_model": "AMD EPYC 7543"}, {"cpu_count": 8}, {"isa": ("avx2", "fma")}),
        *({"blas_core": ("Zen",)}, {"threads": {"blas": 8}}, {"gpus": ("NVIDIA A100",)}),
        *({"gpu_driver": "550"}, {"cuda": "11.8"}, {"world_size": 4}, {"libc": "glibc 2.31"}),
    ],
)
def test_any_difference_in_a_deciding_field_is_another_machine(change):
    found = sides(**change)
    assert (found.same, len(found.differences)) == (False, 1)
    assert found.differences[0].name == next(iter(change))


def test_memory_and_names_are_no_other_machine():
    found = sides(memory_bytes=32_000_000_000, os="Ubuntu", gpu_memory_bytes=80_000_000_000)
    assert {each.grade for each in found.differences} == {HardwareGrade.SPEED}
    assert (found.same, findings_of(found)) == (True, ())
    assert sides(memory_bytes=63_000_000_000).differences == ()


def test_without_a_loaded_blas_or_a_gpu_nothing_of_them_is_lacking():
    bare = {"blas": (), "blas_core": (), "threads": {}, "gpus": (), "gpu_count": 0}
    gone = without("blas", "blas_core", "threads", "gpu_driver", "cuda")
    gone = dataclasses.replace(gone, gpus=(), gpu_count=0)
    assert sides(gone, **bare, cuda=None, gpu_driver=None).same is True
    assert sides(gone).same is False


def test_a_side_may_have_loaded_fewer_libraries():
    assert sides(blas=("mkl 2024.0", "openblas 0.3.28")).differences == ()
    assert sides(threads={"blas": 16}).same is True
    assert sides(threads={"blas": 16, "openmp": 16, "torch": 8}).lacking == ("threads",)


def test_only_the_instruction_sets_that_differ_are_told():
    more = ("sse4_2", "avx2", "fma", "avx512f", "avx512bw", "amx_tile", "unheard_of")
    (found,) = sides(isa=more).differences
    assert (found.asked, found.landed) == ("without avx512*, amx_tile", "with avx512*, amx_tile")
    (found,) = sides(isa=("sse4_2", "avx2", "avx")).differences
    assert (found.asked, found.landed) == ("with fma; without avx", "with avx; without fma")


def test_what_decides_the_numbers_is_a_warning_with_the_way_back():
    found = sides(blas_core=("SkylakeX",), threads={"blas": 2}, cpu_model="Intel", world_size=1)
    warning, note = findings_of(found)
    assert (warning.severity, note.severity) == (Severity.WARNING, Severity.NOTE)
    assert "blas_core Haswell → SkylakeX; threads blas 16 → blas 2" in warning.message
    assert "OMP_NUM_THREADS=16" in warning.hint
    assert "OPENBLAS_CORETYPE=Haswell" in warning.hint
    assert "start 2 processes" in warning.hint
    assert "A100, NVIDIA A100" in findings_of(sides(gpus=()))[0].hint
    assert "cpu_model AMD EPYC 7763 → Intel" in note.message


def test_the_probes_answer_becomes_hardware():
    pools = [
        {"api": "blas", "library": "openblas", "version": "0.3.28", "core": "Zen", "threads": 4},
        {"api": "blas", "library": "openblas", "version": "0.3.27", "core": "Zen", "threads": 2},
        {"api": "openmp", "library": "openmp", "version": None, "core": None, "threads": 8},
    ]
    gpus = [{"model": "L4", "memory_bytes": 24, "driver": "550"}] * 2
    found = from_facts({"pools": pools, "gpus": gpus, "torch": {"threads": 3, "cuda": "12.4"}})
    assert found.blas == ("openblas 0.3.27", "openblas 0.3.28")
    assert (found.blas_core, found.cuda, found.gpu_driver) == (("Zen",), "12.4", "550")
    assert found.threads == {"blas": 4, "openmp": 8, "torch": 3}
    assert (found.gpu_count, found.gpus, found.gpu_memory_bytes) == (2, ("L4", "L4"), 24)
    assert from_facts({}) == Hardware()

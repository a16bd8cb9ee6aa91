"""hardware_probe: what a Python sees, and what vendors' tools print."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reprocheck import hardware_probe
from reprocheck.hardware_probe import amd, chosen, cpu_model, isa, nvidia
from reprocheck.machine import PROBE, read_machine
from tests.environments.images import interpreter

# As nvidia-smi --query-gpu=... --format=csv,noheader,nounits prints it.
SMI = """0, GPU-8a56a4bc-e184-a047-2620-be19fdf913d5, NVIDIA A100-SXM4-40GB, 40960, 535.161.08
1, GPU-31cfe05c-ed13-cd17-d7aa-c63db5108c24, NVIDIA A100-SXM4-40GB, 40960, 535.161.08
2, GPU-11111111-2222-3333-4444-555555555555, GRID V100D-8Q, [N/A], 535.161.08
"""
ROCM = {
    "card0": {
        "VRAM Total Memory (B)": "68702699520",
        "Card Series": "AMD INSTINCT MI250",
        "Card Model": "0x740c",
    },
    "system": {"Driver version": "6.7.0"},
}
X86 = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC 7763  64-Core Processor
flags\t\t: fpu sse4_2 avx avx2 fma rdtscp
"""
ARM = """processor\t: 0
Features\t: fp asimd asimddp sve
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""


def program(folder: Path, name: str, prints: str, code: int = 0) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{prints}END\nexit {code}\n")
    path.chmod(0o755)


def test_processors_are_read_from_the_kernels_words():
    assert cpu_model(X86) == "AMD EPYC 7763 64-Core Processor"
    assert isa(X86) == ["sse4_2", "avx", "avx2", "fma"]
    assert (cpu_model(ARM), isa(ARM)) == (
        "ARM implementer 0x41 part 0xd40",
        ["asimd", "asimddp", "sve"],
    )


def test_nvidias_csv_is_read():
    first, _, last = nvidia(SMI)
    assert first["model"] == "NVIDIA A100-SXM4-40GB"
    assert (first["memory_bytes"], first["driver"]) == (40960 * 2**20, "535.161.08")
    assert last["memory_bytes"] is None
    assert nvidia("No devices were found\n") == []


@pytest.mark.parametrize(
    ("visible", "left"),
    [
        *((None, "012"), ("", ""), ("-1", ""), ("1", "1"), ("2,0", "20"), ("0,7,1", "0")),
        ("GPU-31cfe05c", "1"),
    ],
)
def test_a_training_sees_what_cuda_visible_devices_leaves(visible, left):
    found = chosen(nvidia(SMI), visible)
    assert found is not None
    assert "".join(gpu["index"] for gpu in found) == left


def test_a_slice_of_a_gpu_is_not_known():
    assert chosen(nvidia(SMI), "MIG-1234") is None


def test_amds_json_is_read():
    (found,) = amd(json.dumps(ROCM)) or []
    assert (found["model"], found["driver"]) == ("AMD INSTINCT MI250", "6.7.0")
    assert found["memory_bytes"] == 68_702_699_520
    assert amd("not json") is None


def test_this_machine_is_read_with_the_tools_on_the_callers_path(tmp_path):
    program(tmp_path, "nvidia-smi", SMI)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": "0,1"}
    machine = read_machine(env, tmp_path)
    assert machine.hardware.gpus == ("NVIDIA A100-SXM4-40GB",) * 2
    assert machine.hardware.gpu_memory_bytes == 40960 * 2**20
    assert machine.hardware.cpu_model
    assert 0 < (machine.memory_available or 0) <= (machine.hardware.memory_bytes or 0)
    assert machine.identity == read_machine(env, tmp_path).identity
    assert machine.identity != read_machine({"PATH": "/usr/bin:/bin"}, tmp_path).identity


def test_a_driver_that_does_not_answer_is_not_known_to_be_none(tmp_path, monkeypatch):
    program(tmp_path, "nvidia-smi", "NVIDIA-SMI has failed\n", 9)
    monkeypatch.setattr(hardware_probe, "DEVICES", (str(tmp_path / "nvidia-*"),))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert hardware_probe.gpus() is None
    monkeypatch.setattr(hardware_probe, "DEVICES", ())
    assert hardware_probe.gpus() == []


@pytest.mark.parametrize("version", ["3.6", "3.8"])
def test_the_probe_runs_under_old_pythons(version, tmp_path):
    python = interpreter(version) / "bin/python"
    subprocess.run([python, "-I", "-S", PROBE, "facts.json", "absent"], cwd=tmp_path, check=True)
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts["cpu_model"]
    assert (facts["pools"], facts["complete"]) == (None, True)


def test_pytorch_tells_its_threads_and_its_cuda(tmp_path):
    source = "class version:\n    cuda, hip = '12.4', None\ndef get_num_threads():\n    return 3\n"
    (tmp_path / "torch.py").write_text(source)
    argv = [sys.executable, PROBE, "facts.json", "torch"]
    code = f"import sys; sys.path.insert(0, '.'); sys.argv[:] = {[str(each) for each in argv[1:]]}"
    runner = f"{code}; import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    subprocess.run([sys.executable, "-c", runner], cwd=tmp_path, check=True)
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts["torch"] == {"threads": 3, "cuda": "12.4"}


def test_what_was_known_before_a_crash_is_kept(tmp_path):
    (tmp_path / "dies.py").write_text("import os\nos.abort()\n")
    argv = [sys.executable, PROBE, "facts.json", "dies"]
    subprocess.run(argv, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=False)
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert (facts["complete"], facts["pools"]) == (False, None)
    assert facts["cpu_count"]

"""opened: strace's lines, the odd ones too."""

from __future__ import annotations

import pytest

from reprocheck.environments.opened import files_read
from reprocheck.environments.system_files import is_input, source_of


def read(*lines: str) -> list[str]:
    return sorted(files_read(line.encode() for line in lines))


def test_files_opened_for_reading_are_told_by_their_real_path():
    assert read(
        '7 openat(AT_FDCWD</w>, "in.csv", O_RDONLY|O_CLOEXEC) = 3</w/in.csv>\n',
        '7 openat(4</data>, "x", O_RDWR) = 5</data/x>\n',
        '7 open("/d/y", O_RDONLY) = 5</d/y>\n',
        '7 openat2(AT_FDCWD</w>, "z", {flags=O_RDONLY, mode=0}, 24) = 5</w/z>\n',
        '7 execve("/opt/tool", [...], 0x7f /* 3 vars */) = 0\n',
    ) == ["/d/y", "/data/x", "/opt/tool", "/w/in.csv", "/w/z"]


@pytest.mark.parametrize(
    "line",
    [
        '7 openat(AT_FDCWD</w>, "out", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</w/out>',
        '7 openat(AT_FDCWD</w>, "dir", O_RDONLY|O_DIRECTORY) = 3</w/dir>',
        '7 openat(AT_FDCWD</w>, "dir", O_RDONLY|O_PATH) = 3</w/dir>',
        '7 openat(AT_FDCWD</w>, "no", O_RDONLY) = -1 ENOENT (No such file or directory)',
        '7 openat(AT_FDCWD</w>, "/proc/self/fd/3", O_RDONLY) = 4</w/gone>(deleted)',
        '7 openat(AT_FDCWD</w>, "p", O_RDONLY) = 4<pipe:[123]>',
        '7 execve("./tool", [...], 0x7f /* 3 vars */) = 0',
        "7 +++ exited with 0 +++",
        "nonsense \x00 (((",
        "",
    ],
)
def test_what_reads_no_file_is_passed_over(line):
    assert read(line + "\n") == []


def test_a_file_that_was_written_first_is_no_input():
    made = '7 openat(AT_FDCWD</w>, "o", O_RDWR|O_CREAT|O_EXCL, 0600) = 3</w/o>'
    again = '8 openat(AT_FDCWD</w>, "o", O_RDONLY) = 3</w/o>'
    assert read(made, again) == []
    assert read(again, made, again) == ["/w/o"]


def test_a_call_that_another_came_between_is_put_together():
    assert read(
        '7 openat(AT_FDCWD</w>, "one", O_RDONLY <unfinished ...>\n',
        '8 openat(AT_FDCWD</w>, "two", O_RDONLY <unfinished ...>\n',
        "7 <... openat resumed>) = 3</w/one>\n",
        "8 <... openat resumed>) = 3</w/two>\n",
    ) == ["/w/one", "/w/two"]


def test_escapes_are_undone():
    line = r'7 openat(AT_FDCWD</>, "x", O_RDONLY) = 3</t/\303\251 \74x\76\n\"\\>'
    assert read(line) == ['/t/é <x>\n"\\']


@pytest.mark.parametrize(
    "path",
    [
        *("/home/me/norm.csv", "/data/labels", "/mnt/x.json", "/home/me/shared/module.py"),
        *(
            "/usr/share/corpora/words.csv.gz",
            "/usr/share/nltk_data/corpora/x.zip",
            "/opt/data/a.CSV",
            "/opt/team/norm.txt",
            "/var/lib/feed/x.parquet",
        ),
    ],
)
def test_data_is_an_input_wherever_it_is(path):
    assert is_input(path)


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "/proc/cpuinfo", "/sys/x.csv", "/usr/lib/libc.so.6", "/usr/lib/x.py"),
        *("/opt/cuda/lib/libcublas.so.12", "/home/me/lib/libmine.so", "/usr/share/locale/de.mo"),
        *("/opt/conda/lib/python3.11/site-packages/sklearn/datasets/data/iris.csv",),
        *("/opt/rocm-6.1/.info/version", "/opt/tool/2/etc/tool.conf", "/opt/miniconda3/x.json"),
        *("/var/cache/fontconfig/x", "/home/me/ca.pem", "/root/.pyenv/version", "/bin/cat"),
    ],
)
def test_the_systems_own_is_none(path):
    assert not is_input(path)


def test_a_compiled_module_stands_for_its_source(tmp_path):
    (tmp_path / "own.py").write_text("")
    assert source_of(f"{tmp_path}/__pycache__/own.cpython-311.pyc") == f"{tmp_path}/own.py"
    assert source_of("/x/__pycache__/gone.cpython-311.pyc").endswith(".pyc")

"""What docker tells of a build or a download, in few words."""

from __future__ import annotations

import pytest

from reprocheck.environments.docker_failures import Cause, ImageError
from reprocheck.environments.docker_words import BuildWords, end_of, pull_words


def test_the_step_stays_while_its_output_goes_on(tmp_path):
    words = BuildWords()
    assert words.after("") == ""
    assert words.after("#1 [internal] load build definition\n") == (
        ": #1 [internal] load build definition"
    )
    assert words.after("#5 [1/4] FROM x\n#6 [train 2/4] RUN pip\n") == (
        ", step 2 of 4: #6 [train 2/4] RUN pip"
    )
    assert words.after("#6 1.2 Collecting numpy\n") == ", step 2 of 4: #6 1.2 Collecting numpy"
    assert words.after("Step 3/7 : RUN [5/6]\n") == ", step 3 of 7: Step 3/7 : RUN [5/6]"
    assert "hunter2" not in words.after("https://me:hunter2@example.org/simple")
    (tmp_path / "log").write_bytes(b"x" * 100_000 + "\n#9 é".encode())
    assert end_of(tmp_path / "log").endswith("\n#9 é")
    assert len(end_of(tmp_path / "log")) < 40_000
    assert end_of(tmp_path / "none") == ""


def test_a_pull_tells_the_bytes_of_all_layers():
    def layer(name, status, current=0, total=0):
        return {
            "id": name,
            "status": status,
            "progressDetail": {"current": current, "total": total},
        }

    told = [
        {"status": "Pulling from library/python", "id": "3.11"},
        {"status": "Already exists", "progressDetail": {}, "id": "a"},
        layer("b", "Downloading", 500, 1000),
        layer("c", "Downloading", 1000, 3000),
        {"status": "Download complete", "progressDetail": {}, "id": "b"},
        layer("c", "Downloading", 2000, 3000),
        layer("b", "Extracting", 10, 1000),
    ]
    assert list(pull_words("pulling x", told)) == [
        "[############............] 500 bytes of 1 kB",
        "[#########...............] 1.5 kB of 4 kB",
        "[###############.........] 2.5 kB of 4 kB",
        "extracting [##################......] 3 kB of 4 kB",
    ]
    full = [*told, {"error": "write /x: no space left on device"}]
    with pytest.raises(ImageError) as caught:
        list(pull_words("pulling x", full))
    assert caught.value.cause is Cause.NO_SPACE

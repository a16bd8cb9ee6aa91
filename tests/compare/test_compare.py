from __future__ import annotations

import subprocess
import sys


def test_importing_the_stage_does_not_import_scipy():
    code = "import sys, reprocheck.compare; print('scipy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_judging_needs_only_the_light_part_of_scipy():
    code = (
        "import sys; from reprocheck.compare.distributions import *;"
        "consistency_bound(4, 0.4, 0.05), t_tail(3, 1.0), clopper_pearson(1, 5);"
        "print('scipy.stats' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"

import re

import pytest

from reprocheck.reporters import comment
from tests.reporters.checks import COMMENTS

STATE = re.compile(r"(?<=base64,)\S+")


@pytest.mark.parametrize("case", COMMENTS)
def test_golden(case, golden):
    text = comment.render(*COMMENTS[case])
    # How well it is packed is the matter of the machine's zlib.
    golden(f"comment-{case}.md", STATE.sub("…", text))

import json

import pytest

from reprocheck.json_places import has, lines_of

TEXT = """{
  "a": {"x/y": [1,
    {"b": "}"}], "c~": null},

  "\\u00e9": 2
}
"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 1),
        ("/a", 2),
        ("/a/x~1y/0", 2),
        ("/a/x~1y/1", 3),
        ("/a/x~1y/1/b", 3),
        ("/a/c~0", 3),
        ("/é", 5),
        ("/a/x~1y/9", 2),  # of its nearest parent
        ("/a/x~1y/0/deeper", 2),
        ("/none/at/all", 1),
    ],
)
def test_a_pointer_has_its_line(pointer, line):
    json.loads(TEXT)
    assert lines_of(TEXT, [pointer]) == {pointer: line}


@pytest.mark.parametrize("text", ["", "{", '{"a"', '{"a": [1,', "[" * 5000, '{"a": nope}'])
def test_what_is_no_json_is_an_error_of_one_kind(text):
    with pytest.raises(ValueError):
        lines_of(text, ["/b/0/0"])


def test_a_key_is_looked_for_at_the_top():
    assert has(TEXT, "a")
    assert not has(TEXT, "x/y")

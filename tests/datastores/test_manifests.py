import pytest

from reprocheck.datastores.manifests import parse
from reprocheck.errors import RestoreError

MD5, SHA = "a" * 32, "b" * 64
OTHER = "c" * 64


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (f"{SHA}  a.png\n{OTHER} *b/c d.png\n", {"a.png": SHA, "b/c d.png": OTHER}),
        (f"{SHA}  ./a.png\r\n\n# made by hand\n", {"a.png": SHA}),
        (f"\\{SHA}  a\\nb\\\\n.png\n", {"a\nb\\n.png": SHA}),
        (f"{SHA.upper()}   a.png", {" a.png": SHA}),
        (f"SHA256 (a (1).png) = {SHA}\n", {"a (1).png": SHA}),
        (f'{{"a.png": "{SHA}", "b": "{OTHER}"}}', {"a.png": SHA, "b": OTHER}),
        (f"{SHA}  data/a.png\n{OTHER}  data/b\n", {"a.png": SHA, "b": OTHER}),
        (f"{SHA}  a.png\n{OTHER}  data/b\n", {"a.png": SHA, "data/b": OTHER}),
        (f"{SHA}  SUMS\n{OTHER}  b\n", {"b": OTHER}),
    ],
    ids=["plain", "crlf", "escaped", "spaces", "tagged", "json", "rooted", "mixed", "itself"],
)
def test_a_list_is_read(text: str, files: dict[str, str]) -> None:
    listing = parse(text.encode(), "SUMS", "data")
    assert (listing.files, listing.algorithm) == (files, "sha256")


def test_names_in_a_list_inside_the_folder_count_from_there() -> None:
    assert list(parse(f"{MD5}  data/a\n".encode(), "data/SUMS", "data").files) == ["data/a"]


def test_a_table_is_read() -> None:
    text = f'file,size,MD5\n"a,b.png",3,{MD5}\n'
    listing = parse(text.encode(), "files.csv", "data")
    assert (listing.files, listing.algorithm) == ({"a,b.png": MD5}, "md5")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{SHA}  /etc/passwd", "line 1 names a file outside"),
        (f"{SHA}  a\n{SHA}  b/../../c", "line 2 names a file outside"),
        (f"{SHA}  a\n{OTHER}  ./a", "line 2 names a file for the second time"),
        (f'{{"a": "{SHA}", "a": "{OTHER}"}}', "second time"),
        (f"{SHA}  a\n{SHA}  a/b", "both as a file and as a folder"),
        (f"{SHA}  a\0b", "a name that no file"),
        (f'{{"a\\ud800": "{SHA}"}}', "a name that no file"),
        (f"{SHA}  {'a' * 256}", "a name that no file"),
        (f"{SHA}  a//b", "a name that no file"),
        (f"{SHA}  .git/hooks/x", "a name that no file"),
        (f"{SHA}  a\n{MD5}  b", "not all MD5 or all SHA-256"),
        (f"{'a' * 40}  a", "not all MD5 or all SHA-256"),
        (f'{{"a": "{"z" * 64}"}}', "not all MD5 or all SHA-256"),
        ("root:x:0:0:root\n", "is not what sha256sum"),
        ('{"a": {"b": 1}}', "no JSON object of digests"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("", "names no file"),
        (b"\xff\xfe", "no text"),
    ],
    ids=str,
)
def test_a_hostile_or_broken_list_is_refused_and_not_quoted(text: str | bytes, said: str) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(RestoreError, match=said) as caught:
        parse(content, "SUMS", "data")
    assert "passwd" not in caught.value.message
    assert "root" not in caught.value.message

import pytest

from reprocheck.reporters.blocks import Block, Size, page

LINE = "- " + "x" * 98


def _size(most, **changes):
    return Size(**({"most_bytes": most, "rows": 1_000, "sections": 1} | changes))


def _listed(rank, title, count, **changes):
    return Block(rank=rank, title=title, rows=(LINE,) * count, **changes)


def test_blocks_stand_in_their_order_whatever_their_rank():
    blocks = [Block(rank=9, title="", before="a"), Block(rank=0, title="", before="b")]
    assert page(blocks, _size(9_000)) == "a\n\nb\n"


@pytest.mark.parametrize("most", [1_100, 3_000, 20_000, 200_000])
def test_a_page_is_never_larger_than_it_may_be(most):
    blocks = [_listed(rank, f"part {rank}", 400, folded=True) for rank in range(4)]
    assert len(page(blocks, _size(most)).encode()) <= most


def test_of_what_is_too_long_whole_rows_are_shown():
    text = page([_listed(1, "rows", 100, before="- head\n", after="\nend")], _size(3_000))
    shown = text.count(LINE)
    assert text.count("- x") == shown
    assert 5 < shown < 20
    assert text.endswith(f"\nend\n\n{100 - shown} more in the report\n")


def test_what_has_no_room_for_one_row_is_named():
    text = page([Block(rank=0, title="", before="a"), _listed(1, "rows", 1)], _size(1_050))
    assert text == "a\n\nLeft out here for its length, but in the report: rows.\n"


def test_many_titles_are_counted():
    blocks = [_listed(1, f"rows {i}", 1) for i in range(300)]
    assert page(blocks, _size(1_010)).endswith("but in the report: 300 parts.\n")


def test_what_ranks_first_leaves_some_room():
    text = page([_listed(1, "first", 1_000), _listed(2, "second", 1_000)], _size(20_000))
    first, second = text.split(" more in the report", 1)
    assert first.count(LINE) > second.count(LINE) > 10


def test_what_needs_little_leaves_the_rest_to_others():
    alone = page([_listed(1, "rows", 1_000)], _size(20_000)).count(LINE)
    both = page([_listed(1, "few", 2), _listed(1, "rows", 1_000)], _size(20_000)).count(LINE)
    assert alone - 3 <= both <= alone


def test_a_fold_may_be_open():
    block = Block(rank=1, title="More", before="a", folded=True)
    assert page([block], _size(9_000)).startswith("<details><summary>More</summary>\n\na\n\n</de")
    assert page([block], _size(9_000, unfolded=True)).startswith("<details open><summary>More<")

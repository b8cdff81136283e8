"""The gateway beside nginx and HAProxy on the same bytes."""

import pytest

import differential


@pytest.fixture(scope="module")
def rows():
    return differential.run_all()


def ours(lines):
    """Of the tables' lines the name, the bytes and our cell."""
    return [line.split(" | ")[:3] for line in lines if line.startswith("| ")]


def test_the_table_is_what_a_run_gives(rows):
    written = differential.TABLE.read_text().splitlines()
    now = differential.document(rows).splitlines()
    if differential.of_these_versions():
        assert now == written
    else:  # another Debian has others beside ours
        assert ours(now) == ours(written)


def test_ours_is_never_laxer_than_both(rows):
    assert list(differential.laxer_than_both(rows)) == []


def test_ours_sends_nothing_on_as_it_came(rows):
    for row in rows:
        assert "as received" not in row.cells[0], row.vector.name
        assert "out of step" not in row.cells[0], row.vector.name

"""What is an option and what a query that begins with a minus."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.cli.arguments import sorted_out

OPTIONS = {"-k": True, "--json": False, "--sheet": True, "--help": False, "-h": False}


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["A", "dog"], ["--", "A", "dog"]),
        (["A", "-car + beach"], ["--", "A", "-car + beach"]),
        (["A", "-car"], ["--", "A", "-car"]),
        (["A", "-k", "5", "dog - beach"], ["-k", "5", "--", "A", "dog - beach"]),
        (["A", "-kite + beach", "-k5"], ["-k5", "--", "A", "-kite + beach"]),
        (["--json", "A", "-json + x"], ["--json", "--", "A", "-json + x"]),
        (["A", "x", "--sheet=out.png"], ["--sheet=out.png", "--", "A", "x"]),
        (["A", "x", "--sheet", "-o.png"], ["--sheet", "-o.png", "--", "A", "x"]),
        (["A", "--", "--json"], ["--", "A", "--json"]),
        (["A", "--dog + cat"], ["--", "A", "--dog + cat"]),
        (["A", "--jsno"], ["--jsno", "--", "A"]),
        (["A", "x", "-k"], ["-k", "--", "A", "x"]),
        (["--help"], ["--help"]),
        ([], []),
    ],
)
def test_sorted_out(args, expected):
    assert sorted_out(args, OPTIONS) == expected


@given(
    st.text(min_size=1).map(lambda text: f"- {text}") | st.text(min_size=1).map(lambda text: f"-{text} + x")
)
def test_a_query_with_a_minus_arrives_whole(query):
    given_options = ["-k", "3", "--json"]
    if query.startswith("--"):
        query = query.replace("=", "")
    assert sorted_out(["A", query, *given_options], OPTIONS) == [*given_options, "--", "A", query]

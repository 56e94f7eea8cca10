"""The table of cases in the book lists the tests there are, and no other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.faults


def expand(text):
    """``B7–B10`` or ``Cases B4, B5`` as single cases."""
    found = set()
    for letter, first, last in re.findall(r"\b([BDST])(\d+)(?:(?:–| to )[BDST](\d+))?", text):
        found |= {f"{letter}{n}" for n in range(int(first), int(last or first) + 1)}
    return found


def test_the_table_lists_every_case():
    cases = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for line in re.findall(r'"""(Cases? [^\n:.]*)', path.read_text(encoding="utf8")):
            cases |= expand(line)
    rows = re.findall(r"^\| ([BDST][^|]*) \|", (ROOT / "book/robustness.md").read_text(), re.M)
    listed = set().union(*map(expand, rows))
    assert cases == listed
    assert len(cases) >= 25

"""A verdict follows from the bound and the interval; the list of claims is checked on reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swta.paper.claims import (
    NOT_MEASURED,
    NOT_REPRODUCED,
    REPRODUCED,
    TOO_SMALL,
    Claim,
    Finding,
    count_verdicts,
    judge_claims,
    load_claims,
    render_claims,
)
from swta.paper.record import Record, Reported

GAIN = Claim(
    "C3", "amplifies", "02_x", "gain", "gain of the winner", above=1.0, min_n=3, figure="fig-a"
)


def test_the_committed_claims_are_valid_and_complete():
    claims = load_claims()
    assert [claim.id for claim in claims] == [f"C{i}" for i in range(1, 17)]
    assert all(claim.measures for claim in claims if claim.quantity)


@given(st.floats(-5, 5), st.floats(0, 3), st.floats(0, 3), st.integers(1, 10))
def test_reproduced_means_the_whole_interval_is_inside(value, down, up, n):
    measured = Reported(value, value - down, value + up, n)
    verdict = GAIN.judge(measured)
    if n < 3:
        assert verdict == TOO_SMALL
    else:
        assert verdict == (REPRODUCED if value - down > 1.0 else NOT_REPRODUCED)


def test_both_bounds_hold_together():
    claim = Claim("C", "c", "02_x", "q", above=0.0, below=1.0)
    assert claim.judge(Reported(0.5)) == REPRODUCED
    assert claim.judge(Reported(0.5, 0.2, 1.1)) == NOT_REPRODUCED
    assert claim.judge(Reported(-0.1)) == NOT_REPRODUCED
    assert claim.bound == "above 0 and below 1"


def test_absent_numbers_are_not_verdicts():
    assert GAIN.judge(None) == TOO_SMALL
    assert Claim("C", "c").judge(None) == NOT_MEASURED


def test_findings_come_from_the_records(tmp_path):
    Record("02_x", {"gain": Reported(2.0, 1.5, 2.5, 5)}, {"C3": "gain"}).write(tmp_path)
    other = Claim("C4", "x", "03_absent", "q", above=0)
    findings = judge_claims([GAIN, other, Claim("C5", "z")], tmp_path)
    assert [finding.verdict for finding in findings] == [REPRODUCED, TOO_SMALL, NOT_MEASURED]
    assert count_verdicts(findings)[REPRODUCED] == 1
    page = render_claims(findings)
    assert "02_x.html#fig-a" in page and "1.5 to 2.5" in page
    assert "interval" not in render_claims(findings, brief=True)


def test_a_chapter_that_measures_another_number_is_an_error(tmp_path):
    Record("02_x", {"gain": Reported(2.0), "loss": Reported(1.0)}, {"C3": "loss"}).write(tmp_path)
    with pytest.raises(ValueError, match=r"C3 is measured by 'gain' in claims\.yaml but by 'loss'"):
        judge_claims([GAIN], tmp_path)


def test_a_number_that_the_chapter_does_not_claim_is_not_judged(tmp_path):
    Record("02_x", {"gain": Reported(2.0, n=5)}).write(tmp_path)
    assert judge_claims([GAIN], tmp_path)[0].verdict == TOO_SMALL


def test_text_in_the_table_is_escaped():
    page = render_claims([Finding(Claim("C<1>", "<script>"), None, NOT_MEASURED)])
    assert "<script>" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- [", "not valid YAML"),
        ("a: 1", "must be a list"),
        ("- 3", "needs `id` and `claim`"),
        ("- {id: C1}", "needs `id` and `claim`"),
        ("- {id: C1, claim: x, abvoe: 1}", "unknown fields"),
        ("- {id: C1, claim: x, quantity: q, chapter: c}", "no bound"),
        ("- {id: C1, claim: x, quantity: q, above: 1}", "no chapter"),
        ("- {id: C1, claim: x, quantity: q, chapter: c, above: 'one'}", "not a number"),
        ("- {id: C1, claim: x}\n- {id: C1, claim: y}", "used twice"),
    ],
)
def test_a_bad_list_is_refused(tmp_path, text, message):
    path = tmp_path / "claims.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_claims(path)

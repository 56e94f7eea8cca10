"""The claims of the paper's abstract, and what the chapters measured about them."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from swta.paper.paths import book_root, results_folder
from swta.paper.record import Record, Reported
from swta.validation import check_integer, check_real

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
TOO_SMALL = "not tested at this size"
NOT_MEASURED = "not measured yet"

_FIELDS = {
    "id",
    "claim",
    "chapter",
    "quantity",
    "measures",
    "above",
    "below",
    "unit",
    "min_n",
    "figure",
}


@dataclass(frozen=True)
class Claim:
    """One claim: the reported number that measures it and the bound that counts as reproduced.

    ``quantity`` of chapter ``chapter`` must lie above ``above`` and below ``below`` (either may be
    absent), interval included, from at least ``min_n`` repetitions. Without ``quantity`` no chapter
    measures the claim yet.
    """

    id: str
    claim: str
    chapter: str = ""
    quantity: str = ""
    measures: str = ""
    above: float | None = None
    below: float | None = None
    unit: str = ""
    min_n: int = 1
    figure: str = ""

    def judge(self, measured: Reported | None) -> str:
        """The verdict on a measured number, or on its absence."""
        if not self.quantity:
            return NOT_MEASURED
        if measured is None or (measured.n is not None and measured.n < self.min_n):
            return TOO_SMALL
        value = float(measured.value)
        low = value if measured.low is None else measured.low
        high = value if measured.high is None else measured.high
        holds = (self.above is None or low > self.above) and (
            self.below is None or high < self.below
        )
        return REPRODUCED if holds else NOT_REPRODUCED

    @property
    def bound(self) -> str:
        """The bound in words."""
        parts = []
        if self.above is not None:
            parts.append(f"above {self.above:g}")
        if self.below is not None:
            parts.append(f"below {self.below:g}")
        return " and ".join(parts) + (f" {self.unit}" if parts and self.unit else "")


@dataclass(frozen=True)
class Finding:
    """A claim with what was measured and the verdict."""

    claim: Claim
    measured: Reported | None
    verdict: str


def load_claims(path: Path | None = None) -> list[Claim]:
    """The claims listed in ``book/claims.yaml``.

    Raises:
        ValueError: unknown or missing fields, values of another type, a repeated id, or a measured
            claim without a bound.
    """
    path = path or book_root() / "book" / "claims.yaml"
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf8"))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(entries, list):
        raise ValueError(f"{path} must be a list of claims, found {type(entries).__name__}")
    claims: list[Claim] = []
    for entry in entries:
        claims.append(_read_claim(entry, path))
    ids = [claim.id for claim in claims]
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    if repeated:
        raise ValueError(f"{path}: claim ids used twice: {', '.join(repeated)}")
    return claims


def _read_claim(entry: Any, path: Path) -> Claim:
    if not isinstance(entry, dict) or not {"id", "claim"} <= set(entry):
        raise ValueError(f"{path}: every claim needs `id` and `claim`, found {entry!r}")
    unknown = set(entry) - _FIELDS
    if unknown:
        raise ValueError(
            f"{path}: claim {entry['id']} has unknown fields {sorted(map(str, unknown))}; "
            f"known: {sorted(_FIELDS)}"
        )
    for name in _FIELDS - {"above", "below", "min_n"}:
        if not isinstance(entry.get(name, ""), str):
            raise ValueError(f"{path}: claim {entry['id']}: `{name}` = {entry[name]!r} is no text")
    claim = Claim(**entry)
    for name in ("above", "below"):
        if getattr(claim, name) is not None:
            check_real(f"{path}: claim {claim.id}: {name}", getattr(claim, name))
    check_integer(f"{path}: claim {claim.id}: min_n", claim.min_n, low=1)
    if claim.quantity and (not claim.chapter or (claim.above is None and claim.below is None)):
        raise ValueError(f"{path}: claim {claim.id} has a quantity but no chapter or no bound")
    return claim


def judge_claims(claims: Iterable[Claim], folder: Path | None = None) -> list[Finding]:
    """Each claim with the number its chapter stored in ``folder`` (default: the results folder)."""
    folder = folder or results_folder()
    records: dict[str, Record | None] = {}
    findings = []
    for claim in claims:
        if claim.chapter and claim.chapter not in records:
            path = folder / f"{claim.chapter}.json"
            records[claim.chapter] = Record.read(path) if path.is_file() else None
        record = records.get(claim.chapter)
        measured = None
        if record is not None and claim.quantity:
            if record.claims.get(claim.id, claim.quantity) != claim.quantity:
                raise ValueError(
                    f"claim {claim.id} is measured by {claim.quantity!r} in claims.yaml "
                    f"but by {record.claims[claim.id]!r} in {claim.chapter}"
                )
            measured = record.reports.get(claim.quantity) if claim.id in record.claims else None
        findings.append(Finding(claim, measured, claim.judge(measured)))
    return findings


def count_verdicts(findings: Iterable[Finding]) -> dict[str, int]:
    """How many claims got each of the four verdicts."""
    verdicts = [finding.verdict for finding in findings]
    return {
        verdict: verdicts.count(verdict)
        for verdict in (REPRODUCED, NOT_REPRODUCED, TOO_SMALL, NOT_MEASURED)
    }


def tabulate_claims(findings: Iterable[Finding]) -> pd.DataFrame:
    """The table of claims: one row each, numbers as printed."""
    rows = []
    for finding in findings:
        claim, measured = finding.claim, finding.measured
        interval = ""
        if measured is not None and measured.low is not None and measured.high is not None:
            interval = f"{measured.low:.3g} to {measured.high:.3g}"
        rows.append(
            {
                "id": claim.id,
                "claim": claim.claim,
                "measured by": claim.measures,
                "needed": claim.bound,
                "measured": ""
                if measured is None
                else f"{float(measured.value):.3g} {claim.unit}".strip(),
                "interval": interval,
                "n": "" if measured is None or measured.n is None else str(measured.n),
                "verdict": finding.verdict,
                "chapter": claim.chapter,
                "figure": claim.figure,
            }
        )
    return pd.DataFrame(rows)


def render_claims(findings: Iterable[Finding], *, brief: bool = False) -> str:
    """The table of claims as HTML, verdicts linked to figures; ``brief`` for the front page."""
    columns = (
        ["id", "claim", "verdict"]
        if brief
        else ["id", "claim", "measured by", "needed", "measured", "interval", "n", "verdict"]
    )
    table = tabulate_claims(findings)
    head = "".join(f"<th scope='col'>{column}</th>" for column in columns)
    body = []
    for row in table.to_dict("records"):
        cells = []
        for column in columns:
            text = html.escape(row[column])
            if column == "verdict":
                text = f"<span class='verdict {row['verdict'].replace(' ', '-')}'>{text}</span>"
                if row["chapter"]:
                    anchor = f"#{row['figure']}" if row["figure"] else ""
                    text = f"<a href='{row['chapter']}.html{anchor}'>{text}</a>"
            cells.append(f"<td>{text}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    head = f"<thead><tr>{head}</tr></thead>"
    return f"<table class='claims'>{head}<tbody>{''.join(body)}</tbody></table>"

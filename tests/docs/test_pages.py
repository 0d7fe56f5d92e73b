"""The pages written by hand: their links lead somewhere, and they keep to their size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for folder in (".", "docs", "docs/decisions", "libs/*", "services/*", "deploy/*")
    for page in ROOT.glob(f"{folder}/*.md")
)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
ARCHITECTURE_LINES_MAX = 300


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/decisions"
    listed = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {page.name for page in folder.glob("[0-9]*.md")}


def test_every_package_has_a_page() -> None:
    packages = {each.parent for each in ROOT.glob("*/*/pyproject.toml")} - {ROOT / "tests/bench"}
    assert [each for each in packages if not (each / "README.md").exists()] == []


def test_the_architecture_fits_on_its_page() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= ARCHITECTURE_LINES_MAX


def test_every_source_the_architecture_names_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+\.(?:py|lua|sql))", text))
    sources = [
        str(path) for path in ROOT.glob("[ldst]*/**/src/**/*.*") if path.suffix in {".py", ".lua", ".sql"}
    ]
    sources += [str(path) for path in ROOT.glob("docs/*.py")]
    assert [name for name in sorted(named) if not any(each.endswith(f"/{name}") for each in sources)] == []

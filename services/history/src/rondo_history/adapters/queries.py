"""The named queries of the ``.sql`` files beside this one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

_DESCRIPTION = re.compile(r"\A(?:--.*\n)+")
_NAME = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def read_queries(file: str) -> Mapping[str, str]:
    """Each query of ``file`` by its name, which the server's statistics and traces see in front of it."""
    text = (files("rondo_history.adapters") / file).read_text(encoding="utf-8")
    _, *named = _NAME.split(text)
    return {
        name: f"/* {name} */ {_DESCRIPTION.sub('', query.strip())}"
        for name, query in zip(named[::2], named[1::2], strict=True)
    }

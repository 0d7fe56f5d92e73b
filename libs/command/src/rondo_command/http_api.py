"""Rondo's HTTP API, as the command line uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from rondo_command.failures import CommandFailed
from rondo_command.surroundings import variable

TIMEOUT_S = 15.0
PAGE_SIZE = 100


class Api:
    """The API with one credential, which the variable ``credential`` names."""

    def __init__(self, credential: str) -> None:
        self._url = variable("RONDO_URL")
        self._headers = {"Authorization": f"Bearer {variable(credential)}"}

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """The answer's JSON; None where there is none.

        Raises:
            CommandFailed: Rondo refused, or does not answer.
        """
        try:
            answer = httpx.request(
                method,
                f"{self._url}{path}",
                json=body,
                params=query,
                headers=self._headers,
                timeout=TIMEOUT_S,
                trust_env=False,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise CommandFailed(f"{self._url} does not answer ({reason}): check RONDO_URL") from None
        if answer.is_error:
            raise CommandFailed(f"{method} {path} was refused ({answer.status_code}): {_detail(answer)}")
        return answer.json() if answer.content else None

    def every(self, path: str) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page. Raises ``CommandFailed``."""
        cursor: str | None = None
        while True:
            query = {"limit": PAGE_SIZE} | ({} if cursor is None else {"cursor": cursor})
            page = self.call("GET", path, query=query)
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase

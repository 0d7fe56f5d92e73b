"""The demo workspace, made once through the public API."""

from __future__ import annotations

from http import HTTPStatus

import httpx

from rondo_local.failures import WorkspaceUnusable

WORKSPACE_ID = "demo"
REQUEST_TIMEOUT_S = 30.0


async def demo_api_key(url: str, root_key: str, known_key: str | None) -> str:
    """The API key of the workspace `demo`, which is created when it is not there.

    `known_key` is the key from its creation, shown only then. Raises WorkspaceUnusable.
    """
    async with httpx.AsyncClient(base_url=url, timeout=REQUEST_TIMEOUT_S, trust_env=False) as http:
        try:
            answer = await http.post(
                "/v1/workspaces",
                json={"id": WORKSPACE_ID, "name": "Demo"},
                headers={"Authorization": f"Bearer {root_key}"},
            )
        except httpx.HTTPError as error:
            raise WorkspaceUnusable(
                f"the gateway at {url} did not answer ({error}): see its log"
            ) from error
    if answer.status_code == HTTPStatus.CREATED:
        return str(answer.json()["api_key"])
    if answer.status_code == HTTPStatus.CONFLICT and known_key:
        return known_key
    if answer.status_code == HTTPStatus.CONFLICT:
        raise WorkspaceUnusable(
            f"workspace {WORKSPACE_ID} exists, but its API key is not remembered here: delete it "
            f"(DELETE {url}/v1/workspaces/{WORKSPACE_ID} with the root key), or `make clean`"
        )
    raise WorkspaceUnusable(
        f"the gateway answered {answer.status_code} to the creation of workspace {WORKSPACE_ID}: "
        f"see its log; it said: {' '.join(answer.text.split())[:200]}"
    )

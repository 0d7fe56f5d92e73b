"""The pages for browsers: the inbox, the widget and the demo, as they were built.

What is built lies beside this package's code, each file with its compressed forms (``make pages``). What
is in ``assets`` has a hash in its name and never changes, so browsers may keep it; every other name is
asked for again.
"""

from __future__ import annotations

import mimetypes
import os
import secrets
from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Receive, Scope, Send

from rondo_common.problems import Problem

BUILT = Path(__file__).resolve().parents[1] / "web"
"""Where the build puts them."""

KEPT_S = 365 * 24 * 60 * 60
"""How long a browser may keep what has a hash in its name."""
ENTRY_KEPT_S = 300
"""How long it may keep a name that websites refer to, before it asks whether it has changed."""

_NONCE = "{{csp-nonce}}"
"""In a page's text: where its own style elements say that they are meant to be there."""

_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""What files are compressed as, the smaller one first."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
"""No other website learns which page its link stood on: an address can say more than its reader should."""
SERVICE_WORKER = "sw.js"
"""Works for its page also when that is not open. Asked for again each time, or an old one would stay."""
ASSETS = "assets"


def page_routes(built: Path = BUILT, *, shows_demo: bool = False) -> list[BaseRoute]:
    """The routes of the pages in ``built``; those of the demo only where they are wanted."""
    routes: list[BaseRoute] = [
        Mount("/widget", Pages(built / "widget", is_for_any_website=True)),
        Route("/inbox", _with_slash, methods=["GET"]),
        Mount("/inbox", Pages(built / "inbox", entry="index.html")),
    ]
    if shows_demo:
        routes.append(Mount("/demo", Pages(built / "demo", entry=None)))
    return routes


async def _with_slash(_: object) -> Response:
    return RedirectResponse("/inbox/", HTTPStatus.PERMANENT_REDIRECT)


class Pages(StaticFiles):
    """The files of one folder, compressed as the browser likes it.

    With an ``entry``, a path that names no file is a place inside that page, which finds it by itself.
    ``is_for_any_website``: pages of other origins may load them.
    """

    def __init__(self, folder: Path, *, entry: str | None = None, is_for_any_website: bool = False) -> None:
        super().__init__(directory=folder, check_dir=False)
        self._folder = folder
        self._entry = entry
        self._is_for_any_website = is_for_any_website

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, or refuse."""
        if not self._folder.is_dir():
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "pages-not-built",
                "The pages for browsers are not built: run `make pages`, then load this one again.",
            )
        await super().__call__(scope, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, its page's entry, or the file that the name without ``.html`` means."""
        if path.endswith((".br", ".gz")):
            raise HTTPException(HTTPStatus.NOT_FOUND)  # Sent only under their own names.
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != HTTPStatus.NOT_FOUND or not self._is_place(path, scope):
                raise
        return await super().get_response(self._entry or f"{path}.html", scope)

    def _is_place(self, path: str, scope: Scope) -> bool:
        """Whether ``path`` may be a place inside a page, or a page's name; not a file that is missing.
        Places can have a dot, as email addresses do: then it counts whether a browser goes there."""
        if not Path(path).suffix:
            return True
        is_visited = "text/html" in Headers(scope=scope).get("accept", "")
        return self._entry is not None and is_visited and Path(path).parts[0] != ASSETS

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file's content, or that it has not changed."""
        path, request = Path(full_path), Headers(scope=scope)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        headers = dict(_HEADERS)
        if self._is_for_any_website:
            headers |= {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
        if media_type == "text/html":
            return _page(path, headers, scope)
        headers["Cache-Control"] = _cache_control(path, is_entry=self._is_for_any_website)
        headers["Vary"] = "Accept-Encoding"
        if self._entry is not None and path == self._folder / SERVICE_WORKER:
            headers["Service-Worker-Allowed"] = f"/{self._folder.name}/"
        encoding, chosen = _chosen(path, request.get("accept-encoding", ""))
        if encoding is not None:
            headers["Content-Encoding"] = encoding
            stat_result = chosen.stat()
        response = FileResponse(
            chosen, status_code=status_code, headers=headers, media_type=media_type, stat_result=stat_result
        )
        if self.is_not_modified(response.headers, request):
            return NotModifiedResponse(response.headers)
        return response


def _page(path: Path, headers: dict[str, str], scope: Scope) -> Response:
    """An HTML page, with a nonce of its own for the styles it makes itself."""
    nonce = secrets.token_urlsafe(16)
    content = path.read_text(encoding="utf-8").replace(_NONCE, nonce)
    headers |= {
        "Content-Security-Policy": _content_security_policy(nonce),
        "Cache-Control": "no-cache",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    body = "" if scope["method"] == "HEAD" else content
    return Response(body, headers=headers, media_type="text/html")


def _content_security_policy(nonce: str) -> str:
    """Nothing from elsewhere but pictures, which agents and companies have at other addresses."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data: https:",
            "font-src 'self'",
            "media-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _cache_control(path: Path, *, is_entry: bool) -> str:
    if path.parent.name == ASSETS:
        return f"public, max-age={KEPT_S}, immutable"
    return f"public, max-age={ENTRY_KEPT_S}" if is_entry else "no-cache"


def _chosen(path: Path, accept_encoding: str) -> tuple[str | None, Path]:
    """The smallest form that the browser takes, and how it is encoded."""
    taken = {
        word.strip().lower()
        for word, _, quality in (part.partition(";") for part in accept_encoding.split(","))
        if quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    }
    for encoding, suffix in _ENCODINGS:
        compressed = path.with_name(path.name + suffix)
        if encoding in taken and compressed.is_file():
            return encoding, compressed
    return None, path

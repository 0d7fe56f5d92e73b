"""The pages for browsers, over a folder as the build makes it."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from rondo_gateway.entrypoints.app import public_app
from rondo_gateway.entrypoints.pages import page_routes

SCRIPT = "console.log('rondo');\n" * 50
PAGE = (
    '<!doctype html><meta name="nonce" content="{{csp-nonce}}"><script src="/inbox/assets/a-1.js"></script>'
)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    files = {
        "widget/rondo.js": SCRIPT.encode(),
        "widget/rondo.js.gz": gzip.compress(SCRIPT.encode()),
        "widget/rondo.js.br": b"brotli, for all the gateway knows",
        "inbox/index.html": PAGE.encode(),
        "inbox/assets/index-C0ffee.js": SCRIPT.encode(),
        "inbox/sw.js": SCRIPT.encode(),
        "demo/shop.html": PAGE.encode(),
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
async def http(built: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(built) as client:
        yield client


def browser(built: Path, *, shows_demo: bool = True) -> httpx.AsyncClient:
    app = public_app(None, pages=page_routes(built, shows_demo=shows_demo))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://rondo.test")


@pytest.mark.parametrize(
    ("accepted", "encoding", "suffix"),
    [
        ("gzip, deflate, br, zstd", "br", ".br"),
        ("gzip", "gzip", ".gz"),
        ("br;q=0, gzip;q=1.0", "gzip", ".gz"),
        ("identity", None, ""),
    ],
)
async def test_a_file_comes_in_the_smallest_form_that_the_browser_takes(
    built: Path, http: httpx.AsyncClient, accepted: str, encoding: str | None, suffix: str
) -> None:
    request = http.stream("GET", "/widget/rondo.js", headers={"Accept-Encoding": accepted})
    async with request as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == encoding
    assert raw == (built / f"widget/rondo.js{suffix}").read_bytes()
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_widget_is_asked_for_again_soon_and_not_sent_twice(http: httpx.AsyncClient) -> None:
    first = await http.get("/widget/rondo.js", headers={"Accept-Encoding": "identity"})
    assert first.headers["cache-control"] == "public, max-age=300"
    known = {"Accept-Encoding": "identity", "If-None-Match": first.headers["etag"]}
    assert (await http.get("/widget/rondo.js", headers=known)).status_code == 304


async def test_each_form_of_a_file_has_an_etag_of_its_own(http: httpx.AsyncClient) -> None:
    tags = []
    for accepted in ("identity", "gzip"):
        answer = await http.head("/widget/rondo.js", headers={"Accept-Encoding": accepted})
        tags.append(answer.headers["etag"])
    assert len(set(tags)) == 2


async def test_any_website_may_load_the_widget_and_no_other_page(http: httpx.AsyncClient) -> None:
    widget = await http.get("/widget/rondo.js", headers={"Accept-Encoding": "identity"})
    assert widget.headers["access-control-allow-origin"] == "*"
    inbox = await http.get("/inbox/assets/index-C0ffee.js")
    assert "access-control-allow-origin" not in inbox.headers


async def test_what_has_a_hash_in_its_name_is_kept_for_good(http: httpx.AsyncClient) -> None:
    answer = await http.get("/inbox/assets/index-C0ffee.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path", ["/inbox/", "/inbox/sign-in", "/inbox/conversations/cnv_1", "/inbox/index.html", "/demo/shop"]
)
async def test_a_page_takes_scripts_from_its_own_origin_only(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; " in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["referrer-policy"] == "same-origin"


async def test_a_page_shows_pictures_of_others_and_talks_to_nobody_else(http: httpx.AsyncClient) -> None:
    policy = (await http.get("/inbox/")).headers["content-security-policy"].split("; ")
    assert {"img-src 'self' data: https:", "connect-src 'self'", "frame-ancestors 'none'"} <= set(policy)


async def test_every_answer_has_a_nonce_of_its_own(http: httpx.AsyncClient) -> None:
    nonces = set()
    for _ in range(2):
        answer = await http.get("/inbox/")
        nonce = answer.text.partition('content="')[2].partition('"')[0]
        assert f"'nonce-{nonce}'" in answer.headers["content-security-policy"]
        nonces.add(nonce)
    assert len(nonces) == 2


@pytest.mark.parametrize(
    "path",
    ["/widget/rondo.js.br", "/widget/none.js", "/widget/", "/widget/%2e%2e/inbox/index.html", "/demo/none"],
)
async def test_what_is_not_there_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_missing_file_of_the_inbox_is_not_its_page(http: httpx.AsyncClient) -> None:
    visit = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for headers in ({}, visit):
        assert (await http.get("/inbox/assets/index-older.js", headers=headers)).status_code == 404
    assert (await http.get("/inbox/favicon.ico")).status_code == 404


async def test_a_place_in_the_inbox_may_have_a_dot(http: httpx.AsyncClient) -> None:
    answer = await http.get("/inbox/visitors/ada@example.com", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


async def test_the_service_worker_of_the_inbox_works_for_all_of_it_and_is_never_kept(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get("/inbox/sw.js")
    assert answer.headers["service-worker-allowed"] == "/inbox/"
    assert answer.headers["cache-control"] == "no-cache"
    assert "service-worker-allowed" not in (await http.get("/inbox/assets/index-C0ffee.js")).headers


@pytest.mark.parametrize("path", ["/widget/rondo.js", "/inbox/"])
async def test_pages_that_are_not_built_say_how_to_build_them(tmp_path: Path, path: str) -> None:
    async with browser(tmp_path) as http:
        answer = await http.get(path)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:rondo:error:pages-not-built"
    assert "make pages" in answer.json()["detail"]


async def test_the_demo_is_there_only_where_it_is_wanted(built: Path) -> None:
    async with browser(built, shows_demo=False) as http:
        assert (await http.get("/demo/shop")).status_code == 404


async def test_the_inbox_is_found_without_its_slash(http: httpx.AsyncClient) -> None:
    answer = await http.get("/inbox")
    assert answer.status_code == 308
    assert answer.headers["location"] == "/inbox/"

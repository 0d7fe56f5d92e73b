"""The widget on pages that are no good neighbours."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.web.fake_rondo import FakeRondo
from tests.web.host_page import Website, WidgetOnPage

RESETS = """
<style>
  * { all: unset !important; }
  *, *::before { display: none !important; }
  html, head, body, h1, p, label, input { display: block !important; }
  rondo-chat { display: none !important; opacity: 0 !important; position: absolute !important; }
  div, button { color: red !important; font-size: 2px !important; visibility: hidden !important; }
</style>
"""
FROZEN = """
<script>
  for (const each of [Object, Array, Function, Promise, Map, Set, Error, String, Number, RegExp, Element,
                      HTMLElement, Node, Event, EventTarget, Request, Response, Headers, URL, Storage]) {
    Object.freeze(each.prototype);
    Object.freeze(each);
  }
</script>
"""
POLLUTED = """
<script>
  // As libraries of old did it.
  Object.prototype.extend = function () { return this; };
  Array.prototype.each = function (f) { this.forEach(f); };
  Array.prototype.last = function () { return this[this.length - 1]; };
  Function.prototype.bindTo = function () { return this; };
  String.prototype.toJSON = function () { return '"' + this + '"'; };
  delete String.prototype.toJSON;
  Array.prototype.toJSON = function () { return '[]'; };
  delete Array.prototype.toJSON;
  window.$ = window.jQuery = function () { return { ready: function (f) { f(); } }; };
  window.h = window.Fragment = window.render = window.t = window.e = 'taken';
</script>
"""
STOPPERS = """
<script>
  for (const type of ['keydown', 'keypress', 'keyup', 'click', 'input'])
    document.addEventListener(type, event => {
      if (type.startsWith('key')) window.stolen = (window.stolen || 0) + 1;
    });
</script>
"""
TURBO = """
<script>
  window.exchange = () => {
    const body = document.createElement('body');
    body.textContent = 'another page';
    document.documentElement.replaceChild(body, document.body);
    document.querySelector('rondo-chat')?.remove();
  };
</script>
"""
STRICT = (
    "default-src 'none'; script-src 'nonce-x' {rondo}; connect-src {rondo}; "
    "require-trusted-types-for 'script'; base-uri 'none'"
)


async def whole_chat(page: Page, website: Website, rondo: FakeRondo) -> WidgetOnPage:
    """A chat from the launcher to its end; the page must not notice an error."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await widget.ask("Hello?")
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible()
    rondo.accept()
    rondo.say("Hello, see https://example.com")
    await expect(widget.log.get_by_role("link")).to_be_visible()
    await widget.say("Thank you")
    await widget.shows(["Hello, see https://example.com", "Thank you"])
    await expect(widget.log.get_by_text("Sending…")).to_have_count(0)
    assert errors == []
    return widget


@pytest.mark.parametrize(
    "head", [RESETS, FROZEN, POLLUTED, STOPPERS], ids=["resets", "frozen", "polluted", "listeners"]
)
async def test_a_chat_works_on_a_page_with(
    page: Page, website: Website, rondo: FakeRondo, head: str
) -> None:
    website.pages.head = head
    await whole_chat(page, website, rondo)


async def test_the_pages_own_shortcuts_do_not_hear_what_is_typed_in_the_chat(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    website.pages.head = STOPPERS
    await whole_chat(page, website, rondo)
    assert await page.evaluate("window.stolen ?? 0") == 0


async def test_resets_change_nothing_of_how_the_widget_looks(page: Page, website: Website) -> None:
    await page.goto(website.url)
    plain = await _looks(page)
    website.pages.head = RESETS
    await page.goto(website.url)
    assert await _looks(page) == plain


async def _looks(page: Page) -> object:
    await WidgetOnPage(page).button("Open the chat").wait_for()
    return await page.evaluate(
        """() => {
            const launcher = document.querySelector('rondo-chat').shadowRoot.querySelector('.launcher');
            const { color, backgroundColor, fontSize, visibility, display } = getComputedStyle(launcher);
            return [launcher.getBoundingClientRect().toJSON(), color, backgroundColor, fontSize, visibility,
                    display];
        }"""
    )


async def test_a_chat_works_under_a_strict_policy(page: Page, website: Website, rondo: FakeRondo) -> None:
    website.pages.headers = {"Content-Security-Policy": STRICT.format(rondo=rondo.url)}
    await page.add_init_script(
        "window.violations = []; addEventListener('securitypolicyviolation',"
        "e => violations.push(e.effectiveDirective + ' ' + e.blockedURI));"
    )
    widget = await whole_chat(page, website, rondo)
    rondo.end()
    await widget.button("Start a new chat").click()
    await widget.button("Start chat").click()
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible()
    rondo.fall_back("<p>We are <b>closed</b>.</p>")
    await expect(widget.panel.get_by_text("closed")).to_be_visible()
    assert await page.evaluate("violations") == []


async def test_a_page_that_exchanges_its_body_keeps_the_chat(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    website.pages.head = TURBO
    widget = await whole_chat(page, website, rondo)
    await page.evaluate("exchange()")
    rondo.say("Still here")
    await expect(widget.log.get_by_text("Still here")).to_be_visible()


async def test_nothing_global_is_added_but_rondo(page: Page, website: Website) -> None:
    names = "Object.getOwnPropertyNames(window)"
    website.pages.has_widget = False
    await page.goto(website.url)
    before = set(await page.evaluate(names))
    website.pages.has_widget = True
    await page.goto(website.url)
    await WidgetOnPage(page).button("Open the chat").wait_for()
    after = set(await page.evaluate(names))
    assert after - before == {"Rondo"}


async def test_a_second_tag_changes_nothing(page: Page, website: Website) -> None:
    website.pages.head = website.pages.tag
    await page.goto(website.url)
    await WidgetOnPage(page).button("Open the chat").wait_for()
    assert await page.locator("rondo-chat").count() == 1


async def test_a_page_whose_chat_is_away_works_as_ever(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    rondo.is_reachable = False
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await widget.open()
    await expect(widget.panel.get_by_text("There is no connection.")).to_be_visible()
    await page.get_by_label("Search").fill("lamps")
    assert errors == []
    rondo.is_reachable = True
    await widget.button("Try again").click()
    await expect(widget.panel.get_by_text("There is no connection.")).to_have_count(0)

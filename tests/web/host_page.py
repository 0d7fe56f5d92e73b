"""Pages of websites that have the widget on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.async_api import Locator, Page, expect

from tests.web.fake_rondo import SITE_KEY


@dataclass
class HostPages:
    """What the website serves at every path."""

    rondo_url: str
    head: str = ""
    body: str = "<h1>A website</h1><p><label>Search <input id='search'></label></p>"
    lang: str = "en"
    direction: str = "ltr"
    tag_attributes: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    has_widget: bool = True
    site_key: str = SITE_KEY

    @property
    def tag(self) -> str:
        """The widget's tag, as documented."""
        if not self.has_widget:
            return ""
        src = f"{self.rondo_url}/widget/rondo.js"
        return f'<script src="{src}" data-site-key="{self.site_key}" {self.tag_attributes} async></script>'

    @property
    def html(self) -> str:
        return (
            f'<!doctype html><html lang="{self.lang}" dir="{self.direction}"><head>'
            '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>A website</title>{self.head}{self.tag}</head><body>{self.body}</body></html>"
        )


@dataclass
class Website:
    """The website, served."""

    url: str
    pages: HostPages


@dataclass
class WidgetOnPage:
    """The widget as a visitor uses it: by what it says, not by how it is made."""

    page: Page

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, name: str) -> Locator:
        return self.page.get_by_label(name)

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Write a message")

    async def open(self) -> None:
        await self.button("Open the chat").click()

    async def ask(self, question: str = "") -> None:
        """Open it and ask for a chat."""
        await self.open()
        if question:
            await self.field("Your question").fill(question)
        await self.button("Start chat").click()

    async def say(self, text: str) -> None:
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def shows(self, texts: list[str]) -> None:
        """Wait until both sides have said this, in this order, and nothing else."""
        await expect(self.page.locator("rondo-chat .bubble")).to_have_text(texts, use_inner_text=True)

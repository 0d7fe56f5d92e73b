"""The inbox as an agent uses it: by what it says, not by how it is made."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

PATIENCE_MS = 60_000
"""For what needs a browser on a busy machine. Nothing is asserted to be quick."""


@dataclass
class InboxOnPage:
    """The inbox in one tab."""

    page: Page

    @property
    def banner(self) -> Locator:
        """What rings, over everything."""
        return self.page.get_by_role("region", name="ring")

    @property
    def composer(self) -> Locator:
        """Where the agent writes."""
        return self.page.get_by_role("textbox", name="Message to")

    @property
    def log(self) -> Locator:
        """What was said."""
        return self.page.get_by_role("log")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def card(self, name: str) -> Locator:
        """One chat that rings."""
        return self.page.get_by_role("article", name=f"Chat from {name}")

    def row(self, name: str) -> Locator:
        """A conversation in the list."""
        return self.page.get_by_role("listitem").filter(has_text=name)

    async def open(self, url: str, place: str = "/inbox/") -> None:
        """Load a place, until what lies on the desk is known."""
        await self.page.goto(url + place)
        await expect(self.page.get_by_role("navigation", name="Lists")).to_be_visible(timeout=PATIENCE_MS)

    async def accept(self, name: str) -> None:
        await self.card(name).get_by_role("button", name="Accept").click()
        await expect(self.composer).to_be_visible(timeout=PATIENCE_MS)

    async def say(self, text: str) -> None:
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def shows(self, texts: list[str]) -> None:
        """Exactly these messages are there, in this order, and none is on its way."""
        await expect(self.log.locator("[data-message]")).to_have_text(texts, timeout=PATIENCE_MS)
        await expect(self.log.locator("[data-state]")).to_have_count(0, timeout=PATIENCE_MS)


async def violations(page: Page, axe: str) -> list[str]:
    """What axe finds wrong with the page as it is."""
    await page.evaluate(axe)
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {each['help']} ({', '.join(node['html'][:120] for node in each['nodes'][:3])})"
        for each in found["violations"]
    ]

"""What the inbox costs: bytes until it is there, and what a day's work leaves in memory."""

from __future__ import annotations

import gzip

from playwright.async_api import Response, expect

from tests.web.fake_desk import FakeDesk
from tests.web.inbox_page import PATIENCE_MS, InboxOnPage

FIRST_LOAD_BYTES_MAX = 250 * 1024

expect.set_options(timeout=PATIENCE_MS)


async def test_the_first_load_is_light(inbox: InboxOnPage, desk: FakeDesk) -> None:
    loaded: list[Response] = []
    inbox.page.on("response", lambda response: loaded.append(response) if _is_ours(response) else None)
    desk.activate("cnv_1", first_name="Bo")
    await inbox.open(desk.url)
    await expect(inbox.row("Bo")).to_be_visible()
    weights = {response.url: len(gzip.compress(await response.body(), 9)) for response in loaded}
    assert len(weights) > 5, "it has seen scripts, styles and texts"
    assert sum(weights.values()) <= FIRST_LOAD_BYTES_MAX, weights


def _is_ours(response: Response) -> bool:
    return response.ok and "/inbox/" in response.url and "/v1/" not in response.url


async def test_a_ring_is_painted_by_no_more_than_a_few_frames_of_work(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    """Counted in frames, which a busy machine makes longer, not more: what it takes on any machine."""
    await inbox.open(desk.url)
    await inbox.page.evaluate(_WATCH)
    for number in range(20):
        desk.offer(f"cnv_{number}", first_name=f"Nr{number}.")
        await expect(inbox.card(f"Nr{number}.")).to_be_visible()
        desk.tell("assignment.timed_out", f"cnv_{number}", {"attempt": 1})
        await expect(inbox.card(f"Nr{number}.")).to_have_count(0)
    frames = await inbox.page.evaluate("window.frames_until_painted")
    assert len(frames) == 20
    assert sorted(frames)[-2] <= 6


_WATCH = """() => {
    // From the moment the stream's bytes are read to the moment the card is there.
    window.frames_until_painted = [];
    let frame = 0, heard = null;
    const count = () => { frame += 1; requestAnimationFrame(count); };
    requestAnimationFrame(count);
    const decode = TextDecoder.prototype.decode;
    TextDecoder.prototype.decode = function (...bytes) {
        const text = decode.apply(this, bytes);
        if (text.includes('assignment.offered')) heard = frame;
        return text;
    };
    new MutationObserver(() => {
        if (heard === null || !document.querySelector('[data-ringing]')) return;
        window.frames_until_painted.push(frame - heard);
        heard = null;
    }).observe(document.body, {childList: true, subtree: true});
}"""


async def test_a_thousand_conversations_opened_leave_no_more_than_a_few_in_memory(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    for number in range(40):
        desk.activate(f"cnv_{number}", first_name=f"Nr{number}.")
        for line in range(60):
            desk.say(f"cnv_{number}", f"line {line} " + "word " * 20)
    await inbox.open(desk.url)
    cdp = await inbox.page.context.new_cdp_session(inbox.page)

    async def weight_after(rounds: int) -> int:
        for at in range(rounds):
            await inbox.page.evaluate(
                "async id => { history.pushState({}, '', `/inbox/?conversation=${id}`);"
                " dispatchEvent(new PopStateEvent('popstate'));"
                " await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame); }",
                f"cnv_{at % 40}",
            )
        await cdp.send("HeapProfiler.collectGarbage")
        return int((await cdp.send("Runtime.getHeapUsage"))["usedSize"])

    settled = await weight_after(200)
    later = await weight_after(800)
    assert later < settled * 1.5

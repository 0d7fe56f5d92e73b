"""The inbox in a real browser: what rings, what is said, and what happens when the network is bad."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.web.fake_desk import ME, FakeDesk
from tests.web.inbox_page import PATIENCE_MS, InboxOnPage

expect.set_options(timeout=PATIENCE_MS)

GRACE = {
    "id": "grace",
    "name": "Grace Hopper",
    "avatar_url": None,
    "available": True,
    "present": True,
    "load": 3,
    "capacity": 10,
    "teams": ["lamps"],
}


async def test_a_sign_in_link_signs_in_once_and_leaves_no_trace(inbox: InboxOnPage, desk: FakeDesk) -> None:
    desk.is_signed_in = False
    await inbox.page.goto(f"{desk.url}/inbox/?list=all")
    await expect(inbox.page.get_by_role("heading", name="Sign in to Rondo")).to_be_visible()
    await inbox.page.goto(f"{desk.url}/inbox/sign-in#token=bad")
    await expect(inbox.page.get_by_role("alert")).to_contain_text("used already")
    await inbox.open(desk.url, "/inbox/sign-in?return_to=/inbox/?list=all#token=good")
    assert "token" not in inbox.page.url
    await expect(inbox.page.get_by_role("searchbox")).to_be_visible()


async def test_a_chat_rings_until_it_is_accepted(inbox: InboxOnPage, desk: FakeDesk) -> None:
    await inbox.open(desk.url)
    desk.offer("cnv_1", first_name="Bo", last_name="Ek", company="Ljus AB")
    card = inbox.card("Bo Ek")
    for told in ("Ljus AB", "shop.example/lamps/reading", "prices", "It is your turn", "2 colleagues"):
        await expect(card).to_contain_text(told)
    await expect(card.get_by_role("timer")).to_have_accessible_name(re.compile(r"\d+ seconds left"))
    await expect(inbox.page).to_have_title("1 chat rings · Rondo")
    icon = inbox.page.locator('link[rel="icon"]')
    await expect(icon).to_have_attribute("href", re.compile("data:image/svg"))
    await inbox.accept("Bo Ek")
    await expect(card).to_have_count(0)
    await expect(inbox.page).to_have_title("Rondo")
    assert len(desk.calls("/alr_cnv_1/acknowledge")) == 1
    assert len(desk.calls("/accept")) == 1


async def test_what_rang_before_the_page_was_there_rings_and_is_seen(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    desk.activate("cnv_1", first_name="Bo")
    desk.offer("cnv_2", first_name="Mia")
    await inbox.open(desk.url, "/inbox/wall")
    await expect(inbox.card("Mia")).to_be_visible()
    await inbox.page.wait_for_function("() => document.title.startsWith('1 chat rings')")
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not desk.calls("/alr_cnv_2/acknowledge"):
            await asyncio.sleep(0.05)
    assert desk.calls("/alr_cnv_1/acknowledge") == []


@pytest.mark.parametrize(
    ("event", "reason", "told"),
    [
        ("assignment.accepted", None, "accepted on another device"),
        ("assignment.declined", None, "declined on another device"),
        ("assignment.timed_out", None, "the time to answer has run out"),
        ("assignment.rescinded", "withdrawn", "the visitor has left"),
    ],
)
async def test_what_rings_no_more_is_gone_with_a_reason(
    inbox: InboxOnPage, desk: FakeDesk, event: str, reason: str | None, told: str
) -> None:
    await inbox.open(desk.url)
    desk.offer("cnv_1", first_name="Bo")
    desk.offer("cnv_2", first_name="Mia")
    mia = inbox.card("Mia")
    await expect(mia).to_be_visible()
    before = await mia.bounding_box()
    desk.tell(event, "cnv_1", {"agent": ME, "attempt": 1, "reason": reason})
    await expect(inbox.card("Bo")).to_have_count(0)
    await expect(inbox.banner).to_contain_text(told)
    after = await mia.bounding_box()
    assert before is not None
    assert after is not None
    # What is still there has not come up under a finger that was about to press.
    assert abs(after["y"] - before["y"]) < before["height"] / 4


async def test_a_ring_never_takes_the_focus_from_who_writes(inbox: InboxOnPage, desk: FakeDesk) -> None:
    desk.activate("cnv_1")
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await inbox.composer.press_sequentially("a dr")
    desk.offer("cnv_2", first_name="Mia")
    await expect(inbox.card("Mia")).to_be_visible()
    await inbox.page.keyboard.type("aft?")
    await expect(inbox.composer).to_have_value("a draft?")
    assert desk.calls("/accept") == []
    assert desk.calls("/decline") == []


async def test_by_keyboard_alone_a_chat_is_answered_talked_in_and_left(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    press = inbox.page.keyboard.press
    desk.saved_replies = [
        {"id": "1", "shortcut": "hello", "title": "Greeting", "text": "Hello {{first_name}}!"},
        {"id": "2", "shortcut": "hours", "title": "Opening hours", "text": "9 to 17."},
    ]
    desk.activate("cnv_1", first_name="Bo")
    desk.activate("cnv_2", first_name="Mia")
    await inbox.open(desk.url)
    await expect(inbox.row("Bo")).to_be_visible()
    await press("j")
    await expect(inbox.composer).to_be_visible()
    first = inbox.page.url
    await press("j")
    await expect(inbox.page).not_to_have_url(first)
    await press("k")
    await expect(inbox.page).to_have_url(first)
    desk.offer("cnv_3", first_name="Åsa")
    await expect(inbox.card("Åsa")).to_be_visible()
    await press("r")
    await expect(inbox.card("Åsa")).to_be_focused()
    await press("a")
    await expect(inbox.page.get_by_role("heading", name="Åsa")).to_have_count(2)
    await press("c")
    await expect(inbox.composer).to_be_focused()
    await inbox.page.keyboard.type("/he")
    await expect(inbox.page.get_by_role("option", name="Greeting")).to_be_visible()
    await press("Enter")
    await expect(inbox.composer).to_have_value("Hello Åsa!")
    await press("Shift+Enter")
    await inbox.page.keyboard.type("How can I help?")
    await press("Enter")
    await inbox.shows(["Hello Åsa!\nHow can I help?"])
    await inbox.composer.blur()
    await press("?")
    await expect(inbox.page.get_by_role("dialog", name="Keys")).to_be_visible()
    await press("Escape")
    await expect(inbox.page.get_by_role("dialog")).to_have_count(0)


async def test_offline_and_reload_in_mid_sentence_lose_and_double_nothing(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    desk.activate("cnv_1", first_name="Bo")
    desk.say("cnv_1", "one")
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await inbox.shows(["one"])
    desk.loses_answers = 1
    await inbox.say("two")
    await inbox.shows(["one", "two"])
    desk.is_reachable = False
    desk.cut_streams()
    await expect(inbox.page.get_by_text("Connection lost.")).to_be_visible()
    await inbox.say("three")
    await expect(inbox.log.get_by_text("Not sent yet")).to_be_visible()
    await inbox.composer.press_sequentially("four and a ha")
    desk.say("cnv_1", "said meanwhile")
    desk.is_reachable = True
    await inbox.page.evaluate("dispatchEvent(new Event('online'))")
    await expect(inbox.page.get_by_text("Connected again. Nothing was missed.")).to_be_visible()
    await inbox.shows(["one", "two", "said meanwhile", "three"])
    await inbox.page.reload()
    await expect(inbox.composer).to_have_value("four and a ha")
    await inbox.shows(["one", "two", "said meanwhile", "three"])
    await inbox.composer.press("Enter")
    await inbox.shows(["one", "two", "said meanwhile", "three", "four and a ha"])
    ids = {body["client_message_id"] for body in desk.calls("/messages")}
    assert len(ids) == 3
    assert len(desk.talks["cnv_1"].messages) == 5


async def test_a_short_talk_is_shown_however_late_the_page_is_laid_out(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    await inbox.page.add_init_script(
        "const Real = ResizeObserver; window.ResizeObserver = class extends Real {"
        " constructor(told) { super((...sizes) => setTimeout(() => told(...sizes), 500)); } };"
    )
    desk.activate("cnv_1")
    desk.say("cnv_1", "one")
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await inbox.shows(["one"])
    await expect(inbox.log).to_contain_text("joined")


async def test_what_was_not_sent_before_a_reload_is_sent_after_it(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    desk.activate("cnv_1")
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await expect(inbox.composer).to_be_visible()
    desk.is_reachable = False
    desk.cut_streams()
    await inbox.say("kept")
    await expect(inbox.log.get_by_text("Not sent yet")).to_be_visible()
    desk.is_reachable = True
    # The conversation is not even open: what waits in it is sent all the same.
    await inbox.open(desk.url)
    await expect(inbox.row("You: kept")).to_be_visible()
    assert [each["text"] for each in desk.talks["cnv_1"].messages] == ["kept"]


async def test_a_message_that_is_refused_says_why_and_can_be_tried_again(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    desk.activate("cnv_1")
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await expect(inbox.composer).to_be_visible()
    desk.refuse("/messages", 403, "not-permitted")
    await inbox.say("hm")
    await expect(inbox.log.get_by_role("alert")).to_contain_text("Your profile does not allow this")
    await inbox.button("Try again").click()
    await inbox.shows(["hm"])
    assert len({body["client_message_id"] for body in desk.calls("/messages")}) == 1


@pytest.mark.parametrize(
    ("status", "code", "headers", "told"),
    [
        (429, "too-many-requests", {"Retry_After": "17"}, "Try again in 17 seconds."),
        (503, "unavailable", {"Retry_After": "1"}, "Nothing was lost"),
        (409, "conversation-already-taken", {}, "A colleague was quicker"),
    ],
)
async def test_refusals_are_told_in_words(
    inbox: InboxOnPage, desk: FakeDesk, status: int, code: str, headers: dict[str, str], told: str
) -> None:
    await inbox.open(desk.url)
    desk.offer("cnv_1", first_name="Bo")
    desk.refuse("/accept", status, code, **headers)
    await inbox.card("Bo").get_by_role("button", name="Accept").click()
    await expect(inbox.page.get_by_text(told)).to_be_visible()
    is_over = status == 409
    await expect(inbox.card("Bo")).to_have_count(0 if is_over else 1)


async def test_a_session_that_ends_leads_to_signing_in_and_back(inbox: InboxOnPage, desk: FakeDesk) -> None:
    desk.activate("cnv_1")
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await inbox.composer.fill("half a sen")
    desk.is_signed_in = False
    desk.cut_streams()
    await expect(inbox.page.get_by_role("alert")).to_contain_text("your session ended")
    desk.is_signed_in = True
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await expect(inbox.composer).to_have_value("half a sen")


async def test_signing_out_everywhere_closes_the_desk(inbox: InboxOnPage, desk: FakeDesk) -> None:
    await inbox.open(desk.url)
    await inbox.page.get_by_role("button", name="Ada Lovelace: account").click()
    await inbox.page.get_by_role("menuitem", name="Sign out everywhere").click()
    await expect(inbox.page.get_by_text("You are signed out.")).to_be_visible()
    assert ("DELETE", "/v1/sessions", None) in desk.requests


async def test_nothing_is_shown_that_the_agent_may_not_use(inbox: InboxOnPage, desk: FakeDesk) -> None:
    desk.permissions = ["live_chat_view_my"]
    await inbox.open(desk.url)
    await expect(inbox.page.get_by_role("link", name="Console")).to_have_count(0)
    await expect(inbox.page.get_by_role("link", name="Queue")).to_have_count(0)


async def test_markup_is_shown_as_text_and_links_lead_out_safely(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    desk.activate("cnv_1", first_name="<b>Bo</b>", company="<img src=x onerror=alert(1)>")
    markup = "<script>window.hit=1</script><img src=x onerror='window.hit=1'> javascript:alert(1)"
    arabic = "مرحبا، هل المصباح متوفر؟"
    long = "word " * 799 + "end"
    for text in (markup, arabic, long, "see https://example.com/a?b=c."):
        desk.say("cnv_1", text)
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await inbox.shows([markup, arabic, long, "see https://example.com/a?b=c."])
    assert await inbox.page.evaluate("window.hit") is None
    link = inbox.log.get_by_role("link")
    await expect(link).to_have_count(1)
    await expect(link).to_have_attribute("href", "https://example.com/a?b=c")
    await expect(link).to_have_attribute("rel", re.compile("noopener"))
    await expect(inbox.log.locator("[data-message]").nth(1)).to_have_css("direction", "rtl")
    await inbox.button("Show all").click()
    await expect(inbox.button("Show less")).to_be_visible()


async def test_a_chat_is_handed_over_and_stays_until_it_is_accepted(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    desk.roster = [GRACE, {**GRACE, "id": "ed", "name": "Edsger", "available": False}]
    desk.activate("cnv_1", first_name="Bo")
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await inbox.button("Transfer").click()
    dialog = inbox.page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Edsger")).to_be_disabled()
    await dialog.get_by_role("button", name="Grace Hopper").click()
    await expect(dialog).to_have_count(0)
    await expect(inbox.page.get_by_text("It stays with you until it is accepted.")).to_be_visible()
    await expect(inbox.composer).to_be_visible()
    to = {"id": "grace", "name": "Grace Hopper", "avatar_url": None}
    desk.tell("conversation.transferred", "cnv_1", {"from_agent": ME, "to_agent": to})
    await expect(inbox.page.get_by_text("Grace Hopper has taken over the chat with Bo.")).to_be_visible()
    assert desk.calls("/transfer") == [{"agent_id": "grace"}]


async def test_availability_says_what_it_is_and_until_when(inbox: InboxOnPage, desk: FakeDesk) -> None:
    desk.roster = [{**GRACE, **ME, "load": 0}]
    desk.activate("cnv_1")
    await inbox.open(desk.url)
    control = inbox.page.get_by_role("button", name="by schedule")
    await expect(control).to_contain_text("1 of 10")
    await control.click()
    await inbox.page.get_by_text("Away", exact=True).click()
    await expect(inbox.page.get_by_role("button", name="Away by you")).to_be_visible()
    assert desk.calls("/availability") == [{"available": False}]


async def test_a_waiting_visitor_is_taken_from_the_queue(inbox: InboxOnPage, desk: FakeDesk) -> None:
    talk = desk.ask("cnv_1", status="queued", first_name="Mia")
    talk.view["queue"] = {"position": 1, "estimated_wait_s": 30}
    talk.attempts = [
        {"outcome": "open", "agent": ME, "attempt": 1, "outcome_at": None, "stage": "queue", "why": {}}
    ]
    await inbox.open(desk.url, "/inbox/?list=queue")
    await expect(inbox.row("Mia")).to_contain_text("Place 1")
    await inbox.button("Take").click()
    await expect(inbox.composer).to_be_visible()
    assert len(desk.calls("/take")) == 1


async def test_a_hundred_offers_in_a_row_all_ring_and_all_go(inbox: InboxOnPage, desk: FakeDesk) -> None:
    await inbox.open(desk.url)
    ringing = inbox.page.locator("[data-ringing]")
    for number in range(100):
        desk.offer(f"cnv_{number}", first_name=f"Nr{number}.")
        await expect(ringing).to_contain_text(f"Nr{number}.")
        await expect(ringing).to_be_in_viewport()
        desk.tell("assignment.timed_out", f"cnv_{number}", {"attempt": 1})
    await expect(ringing).to_have_count(0)
    await expect(inbox.page).to_have_title("Rondo")
    assert len(desk.calls("/acknowledge")) == 100


async def test_ten_thousand_messages_are_scrolled_page_by_page_without_a_gap(
    inbox: InboxOnPage, desk: FakeDesk
) -> None:
    talk = desk.activate("cnv_1")
    for number in range(10_000):
        author = {"type": "visitor" if number % 3 else "agent", "id": "v", "name": None}
        at = f"2026-11-{1 + number // 720:02}T{number // 60 % 12:02}:{number % 60:02}:00Z"
        message = {"id": f"msg_{number:08}", "conversation_id": "cnv_1", "author": author, "sent_at": at}
        talk.messages.append({**message, "text": f"line {number}"})
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await expect(inbox.log.get_by_text("line 9999", exact=True)).to_be_visible()
    for _ in range(3):
        await inbox.log.evaluate("list => { list.scrollTop = 0 }")
        await inbox.page.wait_for_function(
            "async () => { const list = document.querySelector('[role=log]');"
            " const before = list.scrollHeight; await new Promise(requestAnimationFrame);"
            " return list.scrollTop > 600 && before === list.scrollHeight; }"
        )
    shown = await inbox.log.locator("[data-message]").all_text_contents()
    numbers = [int(text.removeprefix("line ")) for text in shown]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) < 150, "only the lines near the view are there"


async def test_filters_are_in_the_address_and_the_list_goes_on(inbox: InboxOnPage, desk: FakeDesk) -> None:
    for number in range(120):
        desk.ask(
            f"cnv_{number:03}", status="ended" if number % 2 else "active", first_name=f"Nr{number:03}"
        )
    await inbox.open(desk.url, "/inbox/?list=all&status=ended")
    await expect(inbox.row("Nr119")).to_be_visible()
    await expect(inbox.row("Nr118")).to_have_count(0)
    rows = inbox.page.get_by_role("list", name="All")
    await inbox.page.wait_for_function(
        "() => { const list = document.querySelector('[role=list]'); list.scrollTop = list.scrollHeight;"
        " return list.textContent.includes('Nr001'); }"
    )
    await expect(rows).to_contain_text("Nr001")
    await inbox.page.get_by_role("button", name="Remove the filter Ended").click()
    await expect(inbox.page).not_to_have_url(re.compile("status"))


async def test_one_tab_at_a_time_makes_the_noise(context: BrowserContext, desk: FakeDesk) -> None:
    await context.add_init_script(
        "window.noises = 0; const start = OscillatorNode.prototype.start;"
        "OscillatorNode.prototype.start ="
        " function (...when) { window.noises += 1; start.apply(this, when); };"
    )
    tabs = [InboxOnPage(await context.new_page()) for _ in range(2)]
    for tab in tabs:
        await tab.open(desk.url)
        await tab.page.mouse.click(5, 400)
    desk.offer("cnv_1", first_name="Bo")
    for tab in tabs:
        await expect(tab.card("Bo")).to_be_visible()
    held = "navigator.locks.query().then(({held, pending}) => [held.length, pending.length])"
    await tabs[0].page.wait_for_function(f"() => {held}.then(all => all[0] === 1 && all[1] === 1)")
    first = (await _noisy(tabs))[0]
    await first.page.close()
    (left,) = [tab for tab in tabs if tab is not first]
    await left.page.wait_for_function("() => window.noises > 0")


async def _noisy(tabs: list[InboxOnPage]) -> list[InboxOnPage]:
    while True:
        noisy = [tab for tab in tabs if await tab.page.evaluate("window.noises") > 0]
        if noisy:
            assert len(noisy) == 1
            return noisy
        await tabs[0].page.wait_for_timeout(50)


async def test_a_push_is_shown_and_withdrawn_and_its_click_leads_to_the_chat(
    page: Page, context: BrowserContext, desk: FakeDesk
) -> None:
    await context.grant_permissions(["notifications"], origin=desk.url)
    inbox = InboxOnPage(page)
    desk.activate("cnv_1", first_name="Bo")
    await inbox.open(desk.url)
    cdp = await context.new_cdp_session(page)
    registrations: list[str] = []
    cdp.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(each["registrationId"] for each in event["registrations"]),
    )
    await cdp.send("ServiceWorker.enable")
    await page.evaluate("navigator.serviceWorker.ready.then(({scope}) => scope)")
    while not registrations:
        await page.wait_for_timeout(50)

    async def push(type_: str) -> None:
        data = (
            f'{{"type": "{type_}", "alert_id": "alr_1", "conversation_id": "cnv_1", "title": "Bo rings",'
            '"body": "Ljus AB", "url": "https://elsewhere.example/", "tag": "cnv_1",'
            '"expires_at": "2099-01-01T00:00:00Z"}'
        )
        where = {"origin": desk.url, "registrationId": registrations[-1]}
        await cdp.send("ServiceWorker.deliverPushMessage", {**where, "data": data})

    shown = (
        "navigator.serviceWorker.ready.then(worker => worker.getNotifications())"
        ".then(all => all.map(({title, tag}) => `${title} ${tag}`).join())"
    )
    await push("alert.sent")
    await page.wait_for_function(f"() => {shown}.then(text => text === 'Bo rings cnv_1')")
    await push("alert.withdrawn")
    await page.wait_for_function(f"() => {shown}.then(text => text === '')")
    await page.evaluate(
        "navigator.serviceWorker.dispatchEvent(new MessageEvent('message',"
        " {data: {type: 'rondo.open', place: '/inbox/?conversation=cnv_1'}}))"
    )
    await expect(inbox.composer).to_be_visible()

"""The widget in a real browser, on a website of another origin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from playwright.async_api import BrowserContext, Page, expect
from starlette.responses import JSONResponse

from tests.web.fake_rondo import FakeRondo
from tests.web.host_page import Website, WidgetOnPage

WAIT_S = 10


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds, with a deadline."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_visitor_asks_and_is_answered(widget: WidgetOnPage, rondo: FakeRondo) -> None:
    await widget.open()
    await widget.field("Name").fill("Bo")
    await widget.field("Email").fill("bo@example.com")
    await widget.field("Your question").fill("Do you ship to Norway?")
    await widget.button("Start chat").click()
    await expect(widget.panel.get_by_text("Finding someone for you…")).to_be_visible()
    (body,) = rondo.calls("/v1/conversations")
    assert body["visitor"]["first_name"] == "Bo"
    assert body["visitor"]["email"] == "bo@example.com"
    assert body["answers"] == {"question": "Do you ship to Norway?"}
    assert body["page"]["url"].startswith("http://127.0.0.1")
    rondo.accept()
    await expect(widget.panel.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    rondo.say("We do!")
    await expect(widget.log.get_by_text("We do!")).to_be_visible()
    await widget.say("Lovely")
    await until(lambda: [each["text"] for each in rondo.only.messages] == ["We do!", "Lovely"])
    await widget.shows(["We do!", "Lovely"])


async def test_what_the_website_requires_must_be_filled_in(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    rondo.config = {"fields": ["first_name", "email", "company"], "required": ["email"]}
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await widget.open()
    await expect(widget.field("Company")).to_be_visible()
    await widget.button("Start chat").click()
    await expect(widget.panel.get_by_text("Please fill this in.")).to_be_visible()
    await expect(widget.field("Email")).to_be_focused()
    await widget.field("Email").fill("no address")
    await widget.button("Start chat").click()
    await expect(widget.panel.get_by_text("Please check this address.")).to_be_visible()
    assert rondo.calls("/v1/conversations") == []


async def test_a_visitor_in_line_is_told_their_place_and_can_leave(
    widget: WidgetOnPage, rondo: FakeRondo
) -> None:
    await widget.ask()
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible()
    rondo.queue(3, 240)
    await expect(widget.panel.get_by_text("You are number 3 in line")).to_be_visible()
    await expect(widget.panel.get_by_text("about 4 minutes")).to_be_visible()
    rondo.queue(1, 20)
    await expect(widget.panel.get_by_text("You are next in line")).to_be_visible()
    await widget.button("Leave").click()
    await expect(widget.button("Start chat")).to_be_visible()
    assert rondo.only.view["status"] == "withdrawn"


async def test_typing_reading_and_the_idle_warning_are_shown(
    talking: WidgetOnPage, rondo: FakeRondo
) -> None:
    rondo.tell("typing", {"author": {"type": "agent"}})
    await expect(talking.panel.get_by_text("Ada Lovelace is typing…")).to_be_visible()
    await talking.say("Hello")
    await until(lambda: len(rondo.only.messages) == 1)
    rondo.tell(
        "messages.read",
        {"reader": {"type": "agent", "id": "ada"}, "message_id": rondo.only.messages[0]["id"]},
    )
    await expect(talking.log.get_by_text("· Read")).to_be_visible()
    rondo.tell("conversation.idle_warning", {"ends_at": "2030-01-01T12:34:00Z"})
    await expect(talking.panel.get_by_text("Are you still there?")).to_be_visible()
    await talking.say("Yes")
    await expect(talking.panel.get_by_text("Are you still there?")).to_have_count(0)


async def test_the_agent_is_told_that_the_visitor_types_and_reads(
    talking: WidgetOnPage, rondo: FakeRondo
) -> None:
    rondo.say("One")
    await until(lambda: rondo.calls("/read") == [{"message_id": "msg_1"}])
    await talking.composer.press_sequentially("I am thinking")
    await until(lambda: len(rondo.calls("/typing")) == 1)


async def test_markup_is_shown_as_it_was_written(
    talking: WidgetOnPage, rondo: FakeRondo, page: Page
) -> None:
    text = "<img src=x onerror=alert(1)><script>alert(2)</script> & <b>bold</b>"
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    rondo.say(text)
    await expect(talking.log.get_by_text("onerror")).to_be_visible()
    await talking.say(text)
    await until(lambda: len(rondo.only.messages) == 2)
    await talking.shows([text, text])
    assert await page.locator("rondo-chat .bubble :not(a, span)").count() == 0
    assert dialogs == []


async def test_links_can_be_followed_and_nothing_else_can(talking: WidgetOnPage, rondo: FakeRondo) -> None:
    rondo.say("See https://example.com/a_(b). Not javascript:alert(1), nor data:text/html,x")
    link = talking.log.get_by_role("link")
    await expect(link).to_have_count(1)
    await expect(link).to_have_attribute("href", "https://example.com/a_(b)")
    assert "noopener" in (await link.get_attribute("rel") or "")


async def test_the_fallback_message_keeps_its_form_and_loses_what_is_unsafe(
    widget: WidgetOnPage, rondo: FakeRondo, page: Page
) -> None:
    await widget.ask()
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible()
    rondo.fall_back(
        '<p onclick="alert(1)">We are <strong>closed</strong>. <a href="javascript:alert(1)">bad</a> '
        '<a href="https://example.com/hours">hours</a></p><script>alert(2)</script>'
        '<img src=x onerror="alert(3)"><style>*{display:none}</style>',
        offer_meeting=True,
    )
    await expect(widget.panel.locator("strong", has_text="closed")).to_be_visible()
    await expect(widget.panel.get_by_role("link")).to_have_count(1)
    assert await page.locator("rondo-chat .rich").evaluate(
        "rich => [...rich.querySelectorAll('*')].flatMap(e => [...e.attributes].map(a => a.name))"
    ) == ["href", "target", "rel"]
    await expect(widget.button("Book a meeting")).to_be_visible()


async def test_where_a_meeting_can_be_booked_the_fallback_leads_there(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    rondo.config = {"meeting_url": "https://meet.example.com/sales?from=chat"}
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await widget.ask()
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible()
    rondo.fall_back("We are closed.", offer_meeting=True)
    link = widget.panel.get_by_role("link", name="Book a meeting")
    await expect(link).to_have_attribute("href", "https://meet.example.com/sales?from=chat")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(link).to_have_attribute("target", "_blank")


async def _rated(page: Page, website: Website, rondo: FakeRondo) -> WidgetOnPage:
    """A chat that has ended and can be rated."""
    rondo.config = {"ratings": True}
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await widget.ask()
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible()
    rondo.accept()
    await expect(widget.composer).to_be_visible()
    rondo.end()
    await expect(widget.panel.get_by_role("group", name="How was this chat?")).to_be_visible()
    return widget


async def test_a_chat_that_ended_is_rated_at_one_press_and_with_a_word_if_wanted(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    widget = await _rated(page, website, rondo)
    await expect(widget.field("Anything to add?")).to_have_count(0)
    await widget.button("2 of 5 stars").click()
    await expect(widget.panel.get_by_text("Thank you!")).to_be_visible()
    assert rondo.calls("/rating") == [{"score": 2}]
    await widget.button("4 of 5 stars").click()
    await widget.field("Anything to add?").fill(" Fast, <b>kind</b> ")
    form = widget.panel.locator("form", has=widget.field("Anything to add?"))
    await form.get_by_role("button", name="Send").click()
    await until(lambda: len(rondo.calls("/rating")) == 3)
    assert rondo.calls("/rating")[1:] == [{"score": 4}, {"score": 4, "comment": "Fast, <b>kind</b>"}]
    await page.reload()
    await expect(widget.button("4 of 5 stars")).to_have_attribute("aria-pressed", "true")
    await expect(widget.field("Anything to add?")).to_have_value("Fast, <b>kind</b>")


async def test_a_rating_that_was_not_taken_is_not_thanked_for(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    widget = await _rated(page, website, rondo)
    rondo.refuse("/rating", 503, "unavailable", retry_after="1")
    await widget.button("5 of 5 stars").click()
    await expect(widget.panel.get_by_role("alert")).to_be_visible()
    await expect(widget.panel.get_by_text("Thank you!")).to_have_count(0)
    await widget.button("5 of 5 stars").click()
    await expect(widget.panel.get_by_text("Thank you!")).to_be_visible()


async def test_where_ratings_are_not_wanted_nobody_is_asked_for_one(
    talking: WidgetOnPage, rondo: FakeRondo
) -> None:
    rondo.end()
    await expect(talking.button("Start a new chat")).to_be_visible()
    await expect(talking.panel.get_by_text("How was this chat?")).to_have_count(0)


async def test_a_chat_that_ended_says_why_and_another_can_be_started(
    talking: WidgetOnPage, rondo: FakeRondo
) -> None:
    rondo.say("Bye")
    rondo.end()
    await expect(talking.panel.get_by_text("Ada Lovelace ended the chat.")).to_be_visible()
    await expect(talking.log.get_by_text("Bye")).to_be_visible()
    await expect(talking.composer).to_have_count(0)
    await talking.field("Email the conversation").fill("bo@example.com")
    await talking.button("Send").click()
    await expect(talking.panel.get_by_text("on its way to bo@example.com")).to_be_visible()
    assert rondo.calls("/transcript/email") == [{"to": "bo@example.com"}]
    await talking.button("Start a new chat").click()
    await expect(talking.button("Start chat")).to_be_visible()


async def test_the_visitor_ends_a_chat_after_being_asked(talking: WidgetOnPage, rondo: FakeRondo) -> None:
    await talking.button("More").click()
    await talking.button("End chat").click()
    await talking.button("End it").click()
    await expect(talking.panel.get_by_text("You ended the chat.")).to_be_visible()
    assert rondo.only.view["ended"]["reason"] == "visitor_ended"


# --- reloads, tabs and networks -----------------------------------------------------------------


async def test_a_reload_in_the_middle_of_a_sentence_loses_nothing(
    talking: WidgetOnPage, rondo: FakeRondo, page: Page
) -> None:
    rondo.say("First")
    await expect(talking.log.get_by_text("First")).to_be_visible()
    await talking.composer.fill("half a sen")
    await page.reload()
    await expect(talking.composer).to_have_value("half a sen")
    await expect(talking.log.get_by_text("First")).to_be_visible()
    assert len(rondo.conversations) == 1


async def test_a_message_whose_answer_was_lost_in_a_reload_is_there_once(
    talking: WidgetOnPage, rondo: FakeRondo, page: Page
) -> None:
    rondo.loses_answers = 1
    await talking.say("Only once")
    await until(lambda: len(rondo.only.messages) == 1)
    await page.reload()
    await expect(talking.log.get_by_text("Only once")).to_have_count(1)
    await talking.say("And this")
    await until(lambda: len(rondo.only.messages) == 2)
    await expect(talking.log.get_by_text("And this")).to_have_count(1)
    await talking.shows(["Only once", "And this"])


async def test_a_page_change_while_offline_sends_what_was_written_later(
    talking: WidgetOnPage, rondo: FakeRondo, page: Page, website: Website
) -> None:
    rondo.is_reachable = False
    rondo.cut_streams()
    await talking.say("Written without a network")
    await expect(talking.panel.get_by_text("Not sent yet")).to_be_visible()
    await page.goto(f"{website.url}/other")
    rondo.is_reachable = True
    await until(lambda: [each["text"] for each in rondo.only.messages] == ["Written without a network"])
    await expect(talking.log.get_by_text("Written without a network")).to_have_count(1)


async def test_a_browser_offline_says_so_and_catches_up(
    talking: WidgetOnPage, rondo: FakeRondo, context: BrowserContext
) -> None:
    await context.set_offline(True)
    rondo.cut_streams()
    await expect(talking.panel.get_by_text("You are offline.")).to_be_visible()
    rondo.say("While you were away")
    await talking.say("While I was away")
    await context.set_offline(False)
    await until(lambda: len(rondo.only.messages) == 2)
    await expect(talking.panel.get_by_text("You are offline.")).to_have_count(0)
    await expect(talking.log.get_by_text("While I was away")).to_have_count(1)
    await talking.shows(["While you were away", "While I was away"])


async def test_streams_that_break_again_and_again_lose_and_double_nothing(
    talking: WidgetOnPage, rondo: FakeRondo
) -> None:
    for number in range(20):
        rondo.say(f"agent {number}")
        await talking.say(f"visitor {number}")
        rondo.cut_streams()
    await until(lambda: len(rondo.only.messages) == 40)
    await talking.shows([each["text"] for each in rondo.only.messages])


async def test_a_stream_too_old_to_resume_shows_all_that_was_missed(
    talking: WidgetOnPage, rondo: FakeRondo
) -> None:
    rondo.say("before")
    await expect(talking.log.get_by_text("before")).to_be_visible()
    rondo.is_reachable = False
    rondo.cut_streams()
    for number in range(70):
        rondo.say(f"missed {number}")
    rondo.only.forgotten = len(rondo.only.events)
    rondo.is_reachable = True
    await talking.shows(["before", *(f"missed {number}" for number in range(70))])


async def test_a_second_tab_shows_the_same_chat(
    talking: WidgetOnPage, rondo: FakeRondo, context: BrowserContext, website: Website
) -> None:
    await talking.say("From the first tab")
    await until(lambda: len(rondo.only.messages) == 1)
    second = await context.new_page()
    await second.goto(website.url)
    other = WidgetOnPage(second)
    await other.open()
    await expect(other.log.get_by_text("From the first tab")).to_be_visible()
    await other.say("From the second tab")
    await expect(talking.log.get_by_text("From the second tab")).to_be_visible()
    await talking.shows(["From the first tab", "From the second tab"])
    await other.shows(["From the first tab", "From the second tab"])
    assert len(rondo.conversations) == 1


async def test_a_closed_panel_counts_what_was_not_seen(talking: WidgetOnPage, rondo: FakeRondo) -> None:
    await talking.button("Close the chat").first.click()
    rondo.say("One")
    rondo.say("Two")
    await expect(talking.button("Open the chat (2 new messages)")).to_be_visible()
    await talking.button("Open the chat (2 new messages)").click()
    await expect(talking.log.get_by_text("Two")).to_be_visible()
    await talking.button("Close the chat").first.click()
    await expect(talking.button("Open the chat")).to_be_visible()


# --- refusals, in words -------------------------------------------------------------------------


async def test_an_expired_token_is_renewed_without_a_word(talking: WidgetOnPage, rondo: FakeRondo) -> None:
    rondo.tokens.clear()
    rondo.refuse("/messages", 401, "not-authenticated")
    rondo.cut_streams()
    await talking.say("Still me")
    await until(lambda: len(rondo.only.messages) == 1)
    rondo.say("Good")
    await expect(talking.log.get_by_text("Good")).to_be_visible()
    await expect(talking.panel.get_by_role("alert")).to_have_count(0)


async def test_a_website_that_is_not_allowed_says_so_to_its_visitors(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    rondo.refuse("/visitor_sessions", 403, "origin-not-allowed")
    rondo.allows_origin = False
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await widget.open()
    await expect(widget.panel.get_by_text("The chat is not set up for this website.")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (429, "Please try again in 1 s."),
        (503, "not available at the moment"),
        (500, "Something went wrong"),
    ],
)
async def test_a_request_that_is_refused_says_so_and_can_be_repeated(
    widget: WidgetOnPage, rondo: FakeRondo, status: int, words: str
) -> None:
    rondo.refuse("/conversations", status, "not-now", retry_after="1")
    await widget.ask("Anyone?")
    await expect(widget.panel.get_by_text(words)).to_be_visible()
    await widget.button("Try again").click()
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible()
    assert len(rondo.conversations) == 1


async def test_an_address_that_the_api_refuses_is_shown_at_its_field(
    widget: WidgetOnPage, rondo: FakeRondo
) -> None:
    refusal = {
        "type": "urn:rondo:error:invalid-request",
        "errors": [{"pointer": "/visitor/email", "detail": "x"}],
    }
    rondo.refusals["/conversations"].append(JSONResponse(refusal, 422))
    await widget.open()
    await widget.field("Email").fill("bo@example.invalid")
    await widget.button("Start chat").click()
    await expect(widget.panel.get_by_text("Please check this address.")).to_be_visible()
    await expect(widget.field("Email")).to_be_focused()


# --- what the website can do --------------------------------------------------------------------


async def test_a_website_hears_what_happens_and_steers_the_widget(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    events = ["ready", "opened", "conversation.requested", "conversation.queued", "conversation.accepted"]
    events += ["message", "conversation.ended"]
    website.pages.head = f"""
        <script>
        window.heard = [];
        window.Rondo = window.Rondo || [];
        Rondo.push(rondo => {{
            for (const event of {events}) rondo.on(event, () => heard.push(event));
            rondo.setAttributes({{ plan: 'pro' }});
            const route = {{ type: 'agent', agent_id: 'ada' }};
            rondo.startConversation({{ route, answers: {{ topic: 'prices' }} }});
        }});
        </script>"""
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await widget.button("Start chat").click()
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible()
    (body,) = rondo.calls("/v1/conversations")
    assert body["route"] == {"type": "agent", "agent_id": "ada"}
    assert body["answers"] == {"topic": "prices"}
    assert body["visitor"]["attributes"] == {"plan": "pro"}
    rondo.queue(2, 60)
    await expect(widget.panel.get_by_text("number 2")).to_be_visible()
    rondo.accept()
    rondo.say("Hello")
    rondo.end()
    await expect(widget.panel.get_by_text("ended the chat")).to_be_visible()
    assert await page.evaluate("heard") == events


async def test_a_visitor_whom_the_website_knows_is_named_to_rondo(
    widget: WidgetOnPage, rondo: FakeRondo
) -> None:
    page = widget.page
    await page.wait_for_function("window.Rondo && !Array.isArray(window.Rondo)")
    await page.evaluate("Rondo.identify('signed.by.backend')")
    assert rondo.calls("/visitor_sessions")[-1]["identity"] == "signed.by.backend"


async def test_after_a_shutdown_nothing_is_left(talking: WidgetOnPage) -> None:
    page = talking.page
    await page.evaluate("Rondo.shutdown()")
    assert await page.locator("rondo-chat").count() == 0
    assert await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])") == "[{},{}]"

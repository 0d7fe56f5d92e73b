"""A small Rondo for one agent's browser: the API as documented, in memory, with the pages as built.

The test is the visitors, the colleagues, the network and whatever else happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from rondo_gateway.entrypoints.pages import page_routes
from tests.web.fake_server import FakeServer, Json, application, frame, now, problem, replay

ME = {"id": "ada", "name": "Ada Lovelace", "avatar_url": None}
PERMISSIONS = [
    "live_chat_view_my",
    "live_chat_view_all",
    "own_availability",
    "analytics_view",
    "admin_teams",
]
SNAPSHOT_MESSAGES_MAX = 50
OFFER_S = 100


@dataclass
class Talk:
    """One conversation."""

    view: Json
    messages: list[Json] = field(default_factory=list)
    attempts: list[Json] = field(default_factory=list)


@dataclass
class FakeDesk(FakeServer):
    """The server's side. What is done here is told to the browser at once."""

    permissions: list[str] = field(default_factory=lambda: list(PERMISSIONS))
    is_signed_in: bool = True
    availability: Json = field(
        default_factory=lambda: {
            "available": True,
            "source": "schedule",
            "until": None,
            "next_change_at": None,
        }
    )
    talks: dict[str, Talk] = field(default_factory=dict)
    roster: list[Json] = field(default_factory=list)
    saved_replies: list[Json] = field(default_factory=list)
    _events: list[Json] = field(default_factory=list)
    _by_client_id: dict[str, Json] = field(default_factory=dict)

    # --- what happens --------------------------------------------------------------------------

    def ask(self, id_: str, *, status: str = "requested", **visitor: Any) -> Talk:
        """A visitor asks for a chat."""
        answers = visitor.pop("answers", {"topic": "prices"})
        talk = Talk(
            {
                "id": id_,
                "status": status,
                "route": {"type": "round_robin"},
                "visitor": {"id": f"vis_{id_}", "attributes": {}, "first_name": "Bo", **visitor},
                "page": {"url": "https://shop.example/lamps/reading"},
                "answers": answers,
                "requested_at": now(),
                **dict.fromkeys(("agent", "offer", "queue", "ended", "fallback", "rating")),
            }
        )
        self.talks[id_] = talk
        return talk

    def offer(self, id_: str, *, offer_s: float = OFFER_S, **visitor: Any) -> Talk:
        """A visitor asks, and it rings."""
        talk = self.ask(id_, **visitor)
        offer = {"agent_id": ME["id"], "attempt": 1, "offered_at": now(), "expires_at": now(offer_s)}
        talk.view |= {"status": "offered", "offer": offer}
        why = {"stage": "round_robin", "passed_over_count": 2, "passed_over": []}
        talk.attempts = [
            {
                "agent": ME,
                "outcome": "open",
                "outcome_at": None,
                "stage": "round_robin",
                "why": why,
                **offer,
            }
        ]
        request = {key: talk.view[key] for key in ("visitor", "route", "page", "answers", "requested_at")}
        told = {key: offer[key] for key in ("attempt", "offered_at", "expires_at")}
        self.tell("assignment.offered", id_, {"agent": ME, "why": why, "request": request, **told})
        self.tell("alert.sent", id_, {"alert_id": f"alr_{id_}", "attempt": 1})
        return talk

    def activate(self, id_: str, **visitor: Any) -> Talk:
        """A chat that the agent has already; before the page is loaded."""
        talk = self.ask(id_, status="active", **visitor)
        talk.view["agent"] = ME
        why = {"stage": "round_robin", "passed_over_count": 0, "passed_over": []}
        attempt = {"attempt": 1, "offered_at": now(), "expires_at": now(OFFER_S)}
        outcome = {"outcome": "accepted", "outcome_at": now()}
        talk.attempts = [{"agent": ME, "stage": "round_robin", "why": why, **attempt, **outcome}]
        return talk

    def accept(self, id_: str) -> None:
        """The agent has accepted, here or on another device."""
        talk = self.talks[id_]
        talk.view |= {"status": "active", "agent": ME, "offer": None}
        talk.attempts[0] |= {"outcome": "accepted", "outcome_at": now()}
        self.tell("assignment.accepted", id_, {"agent": ME, "attempt": 1})

    def say(self, id_: str, text: str, *, by: str = "visitor", at: str | None = None) -> Json:
        """Somebody says something."""
        return self._post(id_, text, by, f"client {len(self._events)}", at)

    def end(self, id_: str, reason: str = "visitor_ended") -> None:
        """It is over."""
        ended = {"reason": reason, "by": {"type": "visitor", "id": "v"}, "at": now()}
        self.talks[id_].view |= {"status": "ended", "ended": ended}
        self.tell("conversation.ended", id_, ended)

    def tell(self, type_: str, id_: str | None, data: Json) -> None:
        """The agent's stream tells it."""
        self._events.append({"type": type_, "conversation_id": id_, "data": data})
        self.ring()

    # --- the API -------------------------------------------------------------------------------

    def app(self) -> Starlette:
        """The API and the pages."""
        talk = "/v1/conversations/{id}"
        agent = "/v1/agents/{agent_id}"
        routes = [
            Route("/v1/session", self._session, methods=["GET", "DELETE"]),
            Route("/v1/sessions", self._begin, methods=["POST", "DELETE"]),
            Route("/v1/sign_in_methods", self._answer({"oidc": True})),
            Route("/v1/roster", lambda _: JSONResponse({"data": self.roster})),
            Route("/v1/teams", self._answer({"data": [_TEAM], "next_cursor": None})),
            Route("/v1/push_key", self._answer({"public_key": "B" + "A" * 86})),
            Route("/v1/saved_replies", self._replies),
            Route(agent + "/notifications", self._answer({"sound": True, "web_push": True, "email": True})),
            Route(agent + "/availability", self._switch, methods=["PUT"]),
            Route(agent + "/stream", self._agent_stream),
            Route(agent + "/alerts", self._alerts),
            Route(agent + "/{rest:path}", self._nothing, methods=["POST", "PATCH", "DELETE"]),
            Route("/v1/conversations", self._list),
            Route(talk, self._one),
            Route(talk + "/stream", self._talk_stream),
            Route(talk + "/assignments", self._assignments),
            Route(talk + "/messages", self._messages),
            Route(talk + "/messages", self._message, methods=["POST"]),
            Route(talk + "/transcript", self._transcript),
            Route(talk + "/{command}", self._command, methods=["POST"]),
            *page_routes(),
        ]
        app = application(routes)
        app.add_middleware(_Front, desk=self)
        return app

    def _answer(self, content: Json) -> Any:
        async def answer(_: Request) -> Response:
            return JSONResponse(content)

        return answer

    async def _replies(self, _: Request) -> Response:
        return JSONResponse({"data": self.saved_replies, "next_cursor": None})

    async def _alerts(self, _: Request) -> Response:
        states = {"offered": "escalated", "active": "acknowledged"}
        data = [
            {
                "id": f"alr_{id_}",
                "conversation_id": id_,
                "state": states.get(talk.view["status"], "withdrawn"),
            }
            for id_, talk in self.talks.items()
        ]
        return JSONResponse({"data": data})

    async def _nothing(self, _: Request) -> Response:
        return JSONResponse({"id": "sub_1"}, 201)

    async def _session(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.is_signed_in = False
            return Response(status_code=204)
        if not self.is_signed_in:
            return problem(401, "not-authenticated")
        return JSONResponse(self._who())

    async def _begin(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.is_signed_in = False
            return Response(status_code=204)
        if (await request.json())["token"] != "good":
            return problem(401, "sign-in-link-invalid")
        self.is_signed_in = True
        return JSONResponse({**self._who(), "return_to": None}, 201)

    def _who(self) -> Json:
        return {
            "workspace": {"id": "acme", "name": "Acme"},
            "agent": {**ME, "email": "ada@example.com", "time_zone": "Europe/Stockholm"},
            "permissions": self.permissions,
            "csrf_token": "token of this session",
            "expires_at": now(3600),
        }

    async def _switch(self, request: Request) -> Response:
        available = (await request.json())["available"]
        source = "schedule" if available is None else "toggle"
        self.availability |= {"available": available is not False, "source": source}
        self.tell("agent.availability_changed", None, dict(self.availability))
        return JSONResponse(self.availability)

    async def _list(self, request: Request) -> Response:
        wanted, start = request.query_params, int(request.query_params.get("cursor", 0))
        limit = int(wanted.get("limit", 50))
        found = [
            talk.view
            for talk in reversed(self.talks.values())
            if wanted.get("status") in {None, talk.view["status"]}
            and wanted.get("visitor_id") in {None, talk.view["visitor"]["id"]}
            and all(wanted.get("q", "") in message["text"] for message in talk.messages[:1])
        ]
        more = start + limit < len(found)
        page = found[start : start + limit]
        return JSONResponse({"data": page, "next_cursor": str(start + limit) if more else None})

    async def _one(self, request: Request) -> Response:
        talk = self.talks.get(request.path_params["id"])
        return problem(404, "not-found") if talk is None else JSONResponse(talk.view)

    async def _assignments(self, request: Request) -> Response:
        attempts = self.talks[request.path_params["id"]].attempts
        return JSONResponse({"data": attempts, "queued": [], "fell_back": None})

    async def _messages(self, request: Request) -> Response:
        said = self.talks[request.path_params["id"]].messages[::-1]
        start, limit = (int(request.query_params.get(name, 0)) for name in ("cursor", "limit"))
        more = start + limit < len(said)
        page = said[start : start + limit]
        return JSONResponse({"data": page, "next_cursor": str(start + limit) if more else None})

    async def _message(self, request: Request) -> Response:
        id_, body = request.path_params["id"], await request.json()
        known = self._by_client_id.get(body["client_message_id"])
        if known is None and self.talks[id_].view["status"] != "active":
            return problem(409, "conversation-not-active")
        message = known or self._post(id_, body["text"], "agent", body["client_message_id"], None)
        return self.answered(message, is_known=known is not None)

    async def _transcript(self, request: Request) -> Response:
        said = self.talks[request.path_params["id"]].messages
        return Response("\n".join(each["text"] for each in said), media_type="text/plain")

    async def _command(self, request: Request) -> Response:
        id_ = request.path_params["id"]
        match request.path_params["command"]:
            case "accept" | "take":
                self.accept(id_)
            case "decline":
                self.talks[id_].view |= {"status": "requested", "offer": None}
                self.tell("assignment.declined", id_, {"agent_id": ME["id"], "attempt": 1})
            case "end":
                self.end(id_, "agent_ended")
            case "transfer":
                offer = {
                    "agent_id": "grace",
                    "attempt": 2,
                    "offered_at": now(),
                    "expires_at": now(OFFER_S),
                }
                self.talks[id_].view["offer"] = offer
            case "typing" | "read":
                return Response(status_code=204)
        return JSONResponse(self.talks[id_].view)

    def _post(self, id_: str, text: str, by: str, client_id: str, at: str | None) -> Json:
        talk = self.talks[id_]
        message = {
            "id": f"msg_{len(talk.messages):08}",
            "conversation_id": id_,
            "author": {"type": by, "id": by, "name": ME["name"] if by == "agent" else None},
            "text": text,
            "sent_at": at or now(),
        }
        talk.messages.append(message)
        self._by_client_id[client_id] = message
        self.tell("message.posted", id_, {**message, "client_message_id": client_id})
        return message

    # --- streams -------------------------------------------------------------------------------

    async def _talk_stream(self, request: Request) -> Response:
        talk = self.talks.get(request.path_params["id"])
        if talk is None:
            return problem(404, "not-found")
        if talk.view["agent"] is None and talk.view["offer"] is None:
            return problem(403, "not-permitted")
        data = {"conversation": talk.view, "messages": talk.messages[-SNAPSHOT_MESSAGES_MAX:]}
        told = frame(0, "snapshot", talk.view["id"], data)
        return StreamingResponse(iter([told]), media_type="text/event-stream")

    async def _agent_stream(self, request: Request) -> Response:
        if not self.is_signed_in:
            return problem(401, "not-authenticated")
        last = request.query_params.get("last_event_id")
        frames = self._frames(None if last is None else int(last), self._cut)
        return StreamingResponse(frames, media_type="text/event-stream")

    async def _frames(self, last: int | None, cut: asyncio.Event) -> AsyncIterator[str]:
        yield "retry: 200\n"
        if last is None:
            last = len(self._events)
            yield frame(last, "snapshot", None, self._snapshot())
        while not cut.is_set():
            for number, event in enumerate(self._events[last:], last + 1):
                yield frame(number, event["type"], event["conversation_id"], event["data"])
            last = len(self._events)
            await self.news(cut)

    def _snapshot(self) -> Json:
        views = [talk.view for talk in self.talks.values()]
        return {
            "availability": self.availability,
            "open_offers": [view for view in views if view["offer"] and view["status"] == "offered"],
            "active_conversations": [
                {**view, "unread": 0}
                for view in views
                if view["status"] == "active" and view["agent"] == ME
            ],
        }


class _Front:
    """Notes what is asked for; refusals as the test wants them, and a network that can be away."""

    def __init__(self, app: Any, desk: FakeDesk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        if not self._desk.is_reachable:
            raise ConnectionResetError  # The browser sees a connection that ends.
        request = Request(scope, receive)
        if request.method == "GET":
            await (self._desk.refusal_of(scope["path"]) or self._app)(scope, receive, send)
            return
        body = await request.body()
        self._desk.note(request.method, scope["path"], body)
        if self._desk.is_signed_in and request.headers.get("x-csrf-token") != "token of this session":
            await problem(403, "csrf")(scope, receive, send)
            return
        answer = self._desk.refusal_of(scope["path"]) or self._app
        await answer(scope, replay(body, receive), send)


_TEAM = {"id": "lamps", "name": "Lamps", "agent_ids": ["ada", "grace"]}

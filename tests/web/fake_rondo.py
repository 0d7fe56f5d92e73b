"""A small Rondo for one visitor's browser: the API as documented, in memory, with the pages as built.

The test is the agent, the network and whatever else happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from rondo_gateway.entrypoints.pages import page_routes
from tests.web.fake_server import FakeServer, application, frame, now, problem, replay

AGENT = {"id": "ada", "name": "Ada Lovelace", "avatar_url": None}
SITE_KEY = "site_demo"
SNAPSHOT_MESSAGES_MAX = 50


@dataclass
class Conversation:
    """One conversation, as the visitor's stream tells it."""

    view: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    by_client_id: dict[str, dict[str, Any]] = field(default_factory=dict)
    forgotten: int = 0
    """Events up to here are no longer kept for resuming."""


@dataclass
class FakeRondo(FakeServer):
    """The server's side. What is done here is told to the browser at once."""

    config: dict[str, Any] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    allows_origin: bool = True
    tokens: set[str] = field(default_factory=set)
    _keys: dict[str, str] = field(default_factory=dict)
    _last: int = 0

    # --- what happens --------------------------------------------------------------------------

    @property
    def only(self) -> Conversation:
        """The one conversation there is."""
        (conversation,) = self.conversations.values()
        return conversation

    @property
    def latest(self) -> Conversation:
        """The conversation asked for last."""
        return list(self.conversations.values())[-1]

    def tell(self, type_: str, data: dict[str, Any] | None = None, **view: Any) -> None:
        """Something happens in the latest conversation."""
        conversation = self.latest
        conversation.view |= view
        self._append(conversation, type_, data or {})

    def queue(self, position: int, wait_s: int) -> None:
        """The visitor stands in line."""
        queue = {"position": position, "estimated_wait_s": wait_s}
        self.tell("conversation.queued", {"queue": queue}, status="queued", queue=queue)

    def accept(self, agent: dict[str, Any] = AGENT) -> None:
        """An agent takes the chat."""
        self.tell("assignment.accepted", {"agent": agent}, status="active", agent=agent, queue=None)

    def say(self, text: str, *, author: str = "agent") -> None:
        """The agent says something."""
        self._post(self.latest, text, None, author)

    def end(self, reason: str = "agent_ended") -> None:
        """It is over."""
        ended = {"reason": reason, "by": "agent", "at": now()}
        self.tell("conversation.ended", ended, status="ended", ended=ended)

    def fall_back(self, message: str, *, offer_meeting: bool = False) -> None:
        """Nobody takes it."""
        fallback = {"reason": "nobody_available", "message": message, "offer_meeting": offer_meeting}
        self.tell("conversation.fell_back", fallback, status="fell_back", fallback=fallback)

    # --- the API -------------------------------------------------------------------------------

    def app(self) -> Starlette:
        """The API and the pages."""
        conversation = "/v1/conversations/{id}"
        routes = [
            Route("/v1/visitor_sessions", self._session, methods=["POST"]),
            Route("/v1/visitor_sessions/refresh", self._session, methods=["POST"]),
            Route("/v1/conversations", self._ask, methods=["POST"]),
            Route(conversation + "/stream", self._stream, methods=["GET"]),
            Route(conversation + "/messages", self._message, methods=["POST"]),
            Route(conversation + "/messages", self._history, methods=["GET"]),
            Route(conversation + "/{command:path}", self._command, methods=["POST"]),
            *page_routes(shows_demo=True),
        ]
        app = application(routes)
        app.add_middleware(_Front, rondo=self)
        return app

    async def _session(self, request: Request) -> Response:
        token = f"token-{len(self.tokens)}"
        self.tokens.add(token)
        expires_at = datetime.now(UTC) + timedelta(minutes=15)
        session = {
            "visitor_id": "vis_1",
            "visitor_token": token,
            "expires_at": expires_at.isoformat(),
            "config": self.config,
        }
        return JSONResponse(session, 200 if request.url.path.endswith("refresh") else 201)

    async def _ask(self, request: Request) -> Response:
        body = await request.json()
        key = request.headers["idempotency-key"]
        if key not in self._keys:
            number = len(self.conversations) + 1
            self._keys[key] = f"cnv_{number}"
            view = {
                "id": f"cnv_{number}",
                "status": "requested",
                "route": body["route"],
                "visitor": {"id": "vis_1", "email": None, **body["visitor"]},
                "page": body.get("page"),
                "answers": body.get("answers", {}),
                "requested_at": now(),
                **dict.fromkeys(("agent", "offer", "queue", "ended", "fallback", "rating")),
            }
            self.conversations[f"cnv_{number}"] = Conversation(view)
        view = self.conversations[self._keys[key]].view
        return JSONResponse({**view, "visitor_token": "unused"}, 202)

    async def _message(self, request: Request) -> Response:
        conversation = self.conversations[request.path_params["id"]]
        body = await request.json()
        known = conversation.by_client_id.get(body["client_message_id"])
        if known is None and conversation.view["status"] != "active":
            return problem(409, "conversation-not-active")
        message = known or self._post(conversation, body["text"], body["client_message_id"], "visitor")
        return self.answered(message, is_known=known is not None)

    async def _history(self, request: Request) -> Response:
        conversation = self.conversations[request.path_params["id"]]
        start = int(request.query_params.get("cursor", 0))
        page = conversation.messages[start : start + 100]
        more = start + 100 < len(conversation.messages)
        return JSONResponse({"data": page, "next_cursor": str(start + 100) if more else None})

    async def _command(self, request: Request) -> Response:
        match request.path_params["command"]:
            case "withdraw":
                self.tell("conversation.withdrawn", status="withdrawn")
            case "end":
                self.end("visitor_ended")
            case "transcript/email":
                return Response(status_code=202)
            case "rating":
                rating = {"comment": None, **await request.json(), "rated_at": now()}
                is_new = self.latest.view["rating"] is None
                self.tell("conversation.rated", {"rating": rating}, rating=rating)
                return JSONResponse(rating, 201 if is_new else 200)
            case "typing" | "read":
                return Response(status_code=204)
        return JSONResponse(self.conversations[request.path_params["id"]].view)

    async def _stream(self, request: Request) -> Response:
        if request.query_params.get("access_token") not in self.tokens:
            return problem(401, "not-authenticated")
        conversation = self.conversations.get(request.path_params["id"])
        if conversation is None:
            return problem(404, "not-found")
        last = request.query_params.get("last_event_id")
        frames = self._frames(conversation, None if last is None else int(last), self._cut)
        return StreamingResponse(frames, media_type="text/event-stream")

    async def _frames(
        self, conversation: Conversation, last: int | None, cut: asyncio.Event
    ) -> AsyncIterator[str]:
        yield "retry: 200\n"
        if last is None or last < conversation.forgotten:
            shown = conversation.messages[-SNAPSHOT_MESSAGES_MAX:]
            messages = [{k: v for k, v in each.items() if k != "client_message_id"} for each in shown]
            data: dict[str, Any] = {"conversation": dict(conversation.view), "messages": messages}
            if last is not None:
                data["resumed"] = False
            yield frame(len(conversation.events), "snapshot", conversation.view["id"], data)
            last = len(conversation.events)
        while not cut.is_set():
            for number, event in enumerate(conversation.events[last:], last + 1):
                yield frame(number, event["type"], conversation.view["id"], event["data"])
            last = len(conversation.events)
            await self.news(cut)

    def _post(
        self, conversation: Conversation, text: str, client_id: str | None, author: str
    ) -> dict[str, Any]:
        self._last += 1
        name = AGENT["name"] if author == "agent" else None
        message: dict[str, Any] = {
            "id": f"msg_{self._last}",
            "conversation_id": conversation.view["id"],
            "author": {"type": author, "id": author, "name": name},
            "text": text,
            "sent_at": now(),
        }
        conversation.messages.append({**message, "client_message_id": client_id})
        if client_id is not None:
            conversation.by_client_id[client_id] = message
        self._append(conversation, "message.posted", {**message, "client_message_id": client_id})
        return message

    def _append(self, conversation: Conversation, type_: str, data: dict[str, Any]) -> None:
        conversation.events.append({"type": type_, "data": data})
        self.ring()


class _Front:
    """CORS as the API has it, refusals as the test wants them, and a network that can be away."""

    def __init__(self, app: Any, rondo: FakeRondo) -> None:
        self._app = app
        self._rondo = rondo

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or (scope["method"] != "HEAD" and not scope["path"].startswith("/v1/")):
            await self._app(scope, receive, send)
            return
        if not self._rondo.is_reachable:
            raise ConnectionResetError  # The browser sees a connection that ends.
        if scope["method"] == "HEAD":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        if request.method == "OPTIONS":
            await Response(status_code=204, headers=_CORS)(scope, receive, send)
            return
        body = await request.body()
        path = scope["path"]
        self._rondo.note(request.method, path, body)
        answer = self._rondo.refusal_of(path) or self._app
        await answer(scope, replay(body, receive), self._with_cors(send))

    def _with_cors(self, send: Any) -> Any:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start" and self._rondo.allows_origin:
                message["headers"] += [(k.lower().encode(), v.encode()) for k, v in _CORS.items()]
            await send(message)

        return sending


_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "authorization, content-type, idempotency-key",
    "Access-Control-Expose-Headers": "retry-after",
}

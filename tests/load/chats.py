"""Chats played from request to end, one after the other at several chairs, while things happen."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from rondo_common.tasks import end_tasks
from tests.e2e.client import Caller, Heard, Json, Workspace, new_workspace
from tests.load.ears import SNAPSHOT, Ear
from tests.load.front import Front

AGENTS = 2
MESSAGES = 4
RETRY_S = 0.25
CALL_DEADLINE_S = 120.0


@dataclass
class Said:
    """A message that was answered with 201, or with 200 when it was told again."""

    id: str
    text: str


@dataclass
class Chat:
    """One conversation as those in it saw it."""

    workspace: Workspace
    id: str
    visitor: Ear
    said: list[Said] = field(default_factory=list)
    agent_id: str = ""
    is_over: bool = False


@dataclass
class House:
    """A workspace and those who work in it, each with a stream that stays open."""

    workspace: Workspace
    agents: dict[str, Caller] = field(default_factory=dict)
    ears: dict[str, Ear] = field(default_factory=dict)


class Load:
    """Chats at several chairs. What callers were refused, and what they should not have been, is kept."""

    def __init__(self, front: Front, root: Caller, refusals: Collection[int]) -> None:
        self.chats: list[Chat] = []
        self.houses: list[House] = []
        self.refused: Counter[str] = Counter()
        """How often a request was refused with 503, or not answered, and repeated; by what it was."""
        self._refusals = frozenset(refusals)
        self._front = front
        self._root = root
        self._numbers = itertools.count()
        self._over = asyncio.Condition()
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._chairs: list[asyncio.Task[None]] = []

    @property
    def played(self) -> int:
        """How many chats came to their end."""
        return sum(chat.is_over for chat in self.chats)

    async def open(self, houses: int, chairs: int) -> None:
        """Begin to play, at so many chairs in each of so many workspaces."""
        for _ in range(houses):
            self.houses.append(await self._house())
        self._chairs = [self._do(self._sit(house)) for house in self.houses for _ in range(chairs)]

    async def more(self, count: int) -> None:
        """Wait until so many more chats came to their end. Raises what went wrong in any."""
        enough = self.played + count
        async with self._over:
            await self._over.wait_for(lambda: self.played >= enough or self._failed() is not None)
        self._raise_failure()

    async def finish(self) -> None:
        """Begin no more, and wait for those that are under way. Raises what went wrong in any."""
        self._closing.set()
        await asyncio.wait(self._chairs)
        self._raise_failure()

    async def close(self) -> None:
        """Let go of everything."""
        await end_tasks([*self._tasks])

    # -- those who work ---------------------------------------------------------------------------

    async def _house(self) -> House:
        house = House(await new_workspace(self._root))
        workspace = house.workspace
        for number in range(AGENTS):
            name = f"agent-{number}"
            await workspace.agents(name, capacity=1000)
            agent = house.agents[name] = await workspace.agent(name)
            ear = house.ears[name] = Ear("/v1/agents/me", agent, self._accepting(agent))
            # One of them on a socket: what it does not take over is told again all the same.
            listening = ear.listen() if number else ear.listen_by_socket(self._front)
            self._do(listening)
            await ear.until(lambda heard: heard.type == SNAPSHOT, "where it begins")
        return house

    def _accepting(self, agent: Caller) -> Any:
        async def notice(heard: Heard) -> None:
            if heard.type == "assignment.offered":
                path = f"/v1/conversations/{heard.event['conversation_id']}/accept"
                self._do(self._accept(agent, path))

        return notice

    async def _accept(self, agent: Caller, path: str) -> None:
        await self._decided(agent, path)

    # -- those who ask ----------------------------------------------------------------------------

    async def _sit(self, house: House) -> None:
        while not self._closing.is_set():
            await self._play(house)

    async def _play(self, house: House) -> None:
        number = next(self._numbers)
        body = {"visitor": {"id": f"v-{number}"}, "route": {"type": "round_robin"}}
        asked = await self._insist(house.workspace, "/v1/conversations", body, key=uuid.uuid4().hex)
        path = f"/v1/conversations/{asked['id']}"
        visitor = house.workspace.bearer(asked["visitor_token"])
        ear = Ear(path, visitor)
        chat = Chat(house.workspace, asked["id"], ear)
        self.chats.append(chat)
        listening = self._do(ear.listen() if number % 2 else ear.listen_by_socket(self._front))
        try:
            active = await ear.until(_is_accepted, "who accepted")
            chat.agent_id = _agent_of(active)
            await self._talk(chat, visitor, house.agents[chat.agent_id])
            await self._decided(visitor, f"{path}/end")
            await ear.until(lambda heard: heard.type == "conversation.ended", "the end")
        finally:
            await end_tasks([listening])
        chat.is_over = True
        async with self._over:
            self._over.notify_all()

    async def _talk(self, chat: Chat, visitor: Caller, agent: Caller) -> None:
        for turn, who in zip(range(MESSAGES), itertools.cycle((visitor, agent)), strict=False):
            body = {"client_message_id": f"m-{turn}", "text": f"line {turn} of {chat.id}"}
            answer = await self._insist(who, f"/v1/conversations/{chat.id}/messages", body)
            chat.said.append(Said(answer["id"], body["text"]))
        for said in chat.said:
            await chat.visitor.until(partial(_is_message, said.text), said.text)

    # -- calls ------------------------------------------------------------------------------------

    async def _decided(self, who: Caller, path: str) -> Json:
        return await self._insist(who, path, None, undecided=202)

    async def _insist(
        self, who: Caller, path: str, body: object, *, key: str = "", undecided: int = 0
    ) -> Json:
        """Call as an integrator should: what was refused with 503 or not answered, again, as it was."""
        headers = {"Idempotency-Key": key} if key else {}
        kind = path.rpartition("/")[2]
        async with asyncio.timeout(CALL_DEADLINE_S):
            while True:
                try:
                    answer = await who.call("POST", path, body, headers=headers)
                except httpx.TransportError as error:
                    self.refused[f"{kind}: {type(error).__name__}"] += 1
                else:
                    if answer.is_success and answer.status_code != undecided:
                        result: Json = answer.json()
                        return result
                    assert answer.status_code in {undecided, *self._refusals}, f"{path}: {answer.text}"
                    assert answer.status_code != 503 or int(answer.headers["Retry-After"]) > 0
                    self.refused[f"{kind}: {answer.status_code}"] += 1
                await asyncio.sleep(RETRY_S)

    # -- what runs --------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._note_end)
        return task

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)
        else:  # Whoever waits for more chats must hear of it.
            wake = asyncio.ensure_future(self._wake())
            self._tasks.add(wake)

    async def _wake(self) -> None:
        async with self._over:
            self._over.notify_all()

    def _failed(self) -> BaseException | None:
        ended = (task for task in self._tasks if task.done() and not task.cancelled())
        return next((error for task in ended if (error := task.exception()) is not None), None)

    def _raise_failure(self) -> None:
        failure = self._failed()
        if failure is not None:
            raise failure


def _is_accepted(heard: Heard) -> bool:
    if heard.type == SNAPSHOT:
        return bool(heard.data["conversation"]["status"] == "active")
    return heard.type == "assignment.accepted"


def _is_message(text: str, heard: Heard) -> bool:
    return heard.type == "message.posted" and heard.data["text"] == text


def _agent_of(active: Heard) -> str:
    agent = active.data["conversation"]["agent"] if active.type == SNAPSHOT else active.data["agent"]
    return str(agent["id"])


@asynccontextmanager
async def playing(
    front: Front, root_key: str, *, houses: int, chairs: int, refusals: Collection[int] = (503,)
) -> AsyncIterator[Load]:
    """A load on what is behind ``front`` while the body runs. What is refused with one of ``refusals`` is
    asked again; any other refusal is a failure."""
    async with httpx.AsyncClient(
        transport=front, base_url="http://rondo", timeout=CALL_DEADLINE_S, trust_env=False
    ) as http:
        load = Load(front, Caller(http, {"Authorization": f"Bearer {root_key}"}), refusals)
        try:
            await load.open(houses, chairs)
            yield load
        finally:
            await load.close()

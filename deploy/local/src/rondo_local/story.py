"""Telling a conversation's story from the event topics, as any monitor with a plain consumer can."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from rich.console import Console
from rich.markup import escape

TOPICS = ("rondo.chat.requests", "rondo.conversations")
FINAL = ("rondo.conversation.ended.v1", "rondo.conversation.fell_back.v1")


class Storyteller:
    """Prints each event of the conversation it follows. Use it as an async context manager."""

    def __init__(self, bootstrap: str, console: Console) -> None:
        # Without a group, a consumer reads every partition of its topics.
        self._consumer = AIOKafkaConsumer(*TOPICS, bootstrap_servers=bootstrap, enable_auto_commit=False)
        self._console = console
        self._early: list[ConsumerRecord] = []
        self._conversation_id: str | None = None
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Storyteller:
        await self._consumer.start()
        await self._consumer.seek_to_end()
        self._task = asyncio.create_task(self._tell())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()

    def follow(self, conversation_id: str) -> None:
        """Tell this conversation's story, from its first event on."""
        self._conversation_id = conversation_id
        early, self._early = self._early, []
        for record in early:
            self._hear(record)

    async def ended(self) -> None:
        """Wait until the story is over."""
        await self._over.wait()

    async def _tell(self) -> None:
        async for record in self._consumer:
            if self._conversation_id is None:
                self._early.append(record)
            else:
                self._hear(record)

    def _hear(self, record: ConsumerRecord) -> None:
        headers = {name: value.decode() for name, value in record.headers}
        if headers.get("ce_subject") != self._conversation_id:
            return
        told = sentence(headers["ce_type"], json.loads(record.value))
        clock = headers["ce_time"][11:23]
        self._console.print(
            f"[dim]{clock}  {record.topic.removeprefix('rondo.'):<14}[/] {told}", soft_wrap=True
        )
        if headers["ce_type"] in FINAL:
            self._over.set()


def sentence(event_type: str, event: dict[str, Any]) -> str:
    """One event in words, with markup for the terminal; what people wrote is escaped."""
    match event_type:
        case "rondo.chat.requested.v1":
            request = event["request"]
            who = request["visitor"]
            name = f"{who.get('first_name', 'Somebody')} of {who.get('company', '-')}"
            where = f"{request['page']['url']} (route {request['route']['type']})"
            return f"[bold]{escape(name)}[/] asks for a chat on {escape(where)}"
        case "rondo.assignment.offered.v1":
            return f"offered to [bold]{escape(event['agent']['name'])}[/]: {_why(event['why'])}"
        case "rondo.chat.accept.v1":
            return f"{escape(event['agent_id'])} presses Accept"
        case "rondo.assignment.accepted.v1":
            return f"[bold green]{escape(event['agent']['name'])} has the conversation[/]"
        case "rondo.message.posted.v1":
            message = event["message"]
            author = message["author"].get("name") or message["author"]["type"]
            return f"[bold]{escape(author)}[/]: {escape(message['text'])}"
        case "rondo.chat.end.v1":
            return f"the {event['by']['type']} presses End"
        case "rondo.conversation.ended.v1":
            return f"[bold]over[/]: {event['reason'].replace('_', ' ')}"
        case _:
            return event_type.removeprefix("rondo.")


def _why(why: dict[str, Any]) -> str:
    passed = ", ".join(f"{each['agent_id']} ({each['reason']})" for each in why["passed_over"])
    place = f"place {why['place']} in the {why['stage']} sequence" if "place" in why else why["stage"]
    return f"{place}; passed over: {escape(passed) or 'nobody'}; attempts left: {why['attempts_left']}"

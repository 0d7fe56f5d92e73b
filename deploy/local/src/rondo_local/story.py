"""Telling a conversation's story from the event topics, as any monitor with a plain consumer can."""

from __future__ import annotations

import asyncio
from types import TracebackType

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from rich.console import Console

from rondo_command.story import FINAL, reasons, sentence
from rondo_common.envelope import decode
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS

TOPICS = (CHAT_REQUESTS.name, CONVERSATIONS.name)


class Storyteller:
    """Prints each event of the conversation it follows. Use it as an async context manager."""

    def __init__(self, connection: KafkaConnection, console: Console) -> None:
        # Without a group, a consumer reads every partition of its topics.
        options = connection.client_options()
        self._consumer = AIOKafkaConsumer(*TOPICS, **options, enable_auto_commit=False)
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
        if dict(record.headers).get("ce_subject", b"").decode() != self._conversation_id:
            return
        envelope = decode(record.headers, record.value)
        clock = f"{envelope.time:%H:%M:%S.%f}"[:-3]
        topic = record.topic.removeprefix("rondo.")
        self._console.print(f"[dim]{clock}  {topic:<14}[/] {sentence(envelope.event)}", soft_wrap=True)
        for line in reasons(envelope.event):
            self._console.print(f"[dim]{'':<28}{line}[/]", soft_wrap=True)
        if isinstance(envelope.event, FINAL):
            self._over.set()

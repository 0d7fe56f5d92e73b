"""What live metrics know of one partition's workspaces, and when a window may be told.

A window is told when every partition of the topics it is counted from was read beyond its end; how
far each was read comes as a watermark, along the same way as the moments. So a reader that was away for
minutes tells the windows of that time late, but right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from rondo_common.events import WorkspaceMetrics
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_history.domain.chat_moments import FINAL, Chat, Moment, with_moment
from rondo_history.domain.live_metrics import WINDOW_MS, figures_of, window_of

KEPT_MS = 15 * 60 * 1000
"""How long a chat is remembered after it was over. So late may a moment come and still be counted."""
OPEN_KEPT_MS = 7 * 24 * 60 * 60 * 1000
"""How long a chat is remembered that never comes to an end, after the last that was heard of it."""
BACKLOG_MS_MAX = 24 * 60 * 60 * 1000
"""How far back the very first windows may lie."""

Told = tuple[WorkspaceId, WorkspaceMetrics]
ChatKey = tuple[WorkspaceId, ConversationId]


@dataclass(frozen=True, slots=True)
class Closing:
    """What a step of time leads to: figures to tell, then how far all is told, then chats to forget."""

    told: Sequence[Told]
    closed_until_ms: int
    forgotten: Sequence[ChatKey]


@dataclass(slots=True)
class MetricsLedger:
    """One partition's chats. ``sources`` names every partition that moments come from."""

    sources: Collection[str]
    service_level_ms: int
    chats: dict[WorkspaceId, dict[ConversationId, Chat]] = field(default_factory=dict)
    closed_until_ms: int | None = None
    """All windows that end by then are told."""
    _watermarks: dict[str, int] = field(default_factory=dict)

    def remember(self, key: ChatKey, chat: Chat) -> None:
        """Put a chat in as it was."""
        self.chats.setdefault(key[0], {})[key[1]] = chat

    def take(self, key: ChatKey, moment: Moment, now_ms: int) -> Chat | None:
        """Count a moment: the chat as it is now, or None when nothing changed."""
        workspace_id, conversation_id = key
        before = self.chats.get(workspace_id, {}).get(conversation_id)
        if before is None and moment.at_ms < self._oldest_ms(now_ms):
            return None
        after = with_moment(before, moment)
        if after is not None:
            self.remember(key, after)
        return after

    def is_late(self, key: ChatKey, moment: Moment) -> bool:
        """Whether the moment counts, and its window was told already."""
        if self.closed_until_ms is None or moment.at_ms >= self.closed_until_ms:
            return False
        return key[1] in self.chats.get(key[0], {})

    def corrected(self, workspace_id: WorkspaceId, late: Sequence[Moment]) -> list[Told]:
        """The workspace's windows that were told already and that late moments change, as they are now."""
        if self.closed_until_ms is None or workspace_id not in self.chats:
            return []
        kept_ms = self.closed_until_ms - KEPT_MS
        begin_ms = max(window_of(min(each.at_ms for each in late)), kept_ms)
        finals = [each.at_ms for each in late if each.step in FINAL]
        # A chat was told as open since: also windows with nothing else in them are told anew.
        since_ms = max(window_of(min(finals)), kept_ms) if finals else self.closed_until_ms
        emptied = range(since_ms, self.closed_until_ms, WINDOW_MS)
        return self._tell(workspace_id, begin_ms, self.closed_until_ms, also=emptied)

    def advance(self, source: str, read_until_ms: int) -> Closing | None:
        """All of ``source`` before ``read_until_ms`` was taken. None when no window is over by that."""
        self._watermarks[source] = max(read_until_ms, self._watermarks.get(source, read_until_ms))
        if any(each not in self._watermarks for each in self.sources):
            return None
        until_ms = window_of(min(self._watermarks[each] for each in self.sources))
        if self.closed_until_ms is not None and until_ms <= self.closed_until_ms:
            return None
        begin_ms = self._first_window_ms(until_ms) if self.closed_until_ms is None else self.closed_until_ms
        told = [each for name in self.chats for each in self._tell(name, begin_ms, until_ms)]
        forgotten = list(self._past(until_ms))
        return Closing(told, until_ms, forgotten)

    def close(self, closing: Closing) -> None:
        """Take a closing for done."""
        self.closed_until_ms = closing.closed_until_ms
        for workspace_id, conversation_id in closing.forgotten:
            of_workspace = self.chats[workspace_id]
            del of_workspace[conversation_id]
            if not of_workspace:
                del self.chats[workspace_id]

    def _oldest_ms(self, now_ms: int) -> int:
        if self.closed_until_ms is None:
            return now_ms - BACKLOG_MS_MAX
        # A chat that was over before is forgotten: what comes of it now was counted then.
        return self.closed_until_ms - KEPT_MS

    def _first_window_ms(self, until_ms: int) -> int:
        firsts = (chat.first_at_ms for each in self.chats.values() for chat in each.values())
        return min(window_of(min(firsts, default=until_ms)), until_ms - WINDOW_MS)

    def _tell(
        self, workspace_id: WorkspaceId, begin_ms: int, end_ms: int, *, also: Iterable[int] = ()
    ) -> list[Told]:
        chats = self.chats[workspace_id].values()
        told = figures_of(chats, begin_ms, end_ms, self.service_level_ms, also=also)
        return [(workspace_id, each) for each in told]

    def _past(self, until_ms: int) -> Iterable[ChatKey]:
        for workspace_id, of_workspace in self.chats.items():
            for conversation_id, chat in of_workspace.items():
                kept_ms = OPEN_KEPT_MS if chat.final_at_ms is None else KEPT_MS
                if chat.last_at_ms < until_ms - kept_ms:
                    yield workspace_id, conversation_id

"""The directory in memory: whatever the log told last."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rondo_common.directory.entries import (
    AgentEntry,
    ApiKeyEntry,
    Kind,
    SavedReplyEntry,
    WorkspaceEntry,
    directory_key,
    parse_directory_key,
)
from rondo_common.directory.view import Directory, DirectoryChange
from rondo_common.events import (
    AcceptChat,
    AgentDefined,
    ApiKeyDefined,
    Event,
    SavedReplyDefined,
    WorkspaceDefined,
)
from rondo_common.ids import AgentId, ApiKeyId, ConversationId, SavedReplyId, WorkspaceId

ACME, OTHER = WorkspaceId("acme"), WorkspaceId("other")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Log:
    """Tells a directory one change after the other, each at the next offset."""

    def __init__(self) -> None:
        self.directory = Directory()
        self.offset = 0

    def workspace(self, workspace_id: WorkspaceId = ACME, name: str = "Acme") -> None:
        entry = WorkspaceEntry(id=workspace_id, name=name, created_at=NOON)
        self.tell(workspace_id, Kind.WORKSPACE, workspace_id, WorkspaceDefined(workspace=entry))

    def agent(self, name: str, workspace_id: WorkspaceId = ACME, capacity: int | None = None) -> None:
        entry = AgentEntry(id=AgentId(name), name=name, email=f"{name}@example.com", capacity=capacity)
        self.tell(workspace_id, Kind.AGENT, name, AgentDefined(agent=entry))

    def api_key(self, name: str, sha256: str, workspace_id: WorkspaceId = ACME) -> None:
        entry = ApiKeyEntry(id=ApiKeyId(name), sha256=sha256, created_at=NOON)
        self.tell(workspace_id, Kind.API_KEY, name, ApiKeyDefined(api_key=entry))

    def removal(self, kind: Kind, entry_id: str, workspace_id: WorkspaceId = ACME) -> None:
        self.tell(workspace_id, kind, entry_id, None)

    def tell(self, workspace_id: WorkspaceId, kind: Kind, entry_id: str, event: Event | None) -> None:
        partition = 1 if workspace_id == ACME else 2
        self.directory.apply(DirectoryChange(workspace_id, kind, entry_id, event, partition, self.offset))
        self.offset += 1

    def agents(self, workspace_id: WorkspaceId = ACME) -> list[str]:
        return [each.entry.id for each in self.directory.agents_of(workspace_id)]


@pytest.fixture
def log() -> Log:
    return Log()


def test_an_empty_directory_knows_nobody(log: Log) -> None:
    assert log.directory.find(ACME) is None
    assert log.agents() == []
    assert list(log.directory.workspaces()) == []
    assert log.directory.find_api_key("hash") is None


def test_the_last_definition_stands_with_its_version(log: Log) -> None:
    log.workspace()
    log.agent("grace", capacity=1)
    log.agent("grace", capacity=2)
    (grace,) = log.directory.agents_of(ACME)
    assert (grace.entry.capacity, grace.offset) == (2, 2)


def test_agents_keep_the_order_in_which_they_joined(log: Log) -> None:
    log.workspace()
    for name in ("grace", "edsger", "barbara"):
        log.agent(name)
    log.agent("grace", capacity=3)
    assert log.agents() == ["grace", "edsger", "barbara"]
    log.removal(Kind.AGENT, "grace")
    log.agent("grace")
    assert log.agents() == ["edsger", "barbara", "grace"]


def test_an_agent_that_arrives_before_its_workspace_waits_for_it(log: Log) -> None:
    log.agent("grace")
    assert log.agents() == []
    log.workspace()
    assert log.agents() == ["grace"]


def test_workspaces_are_kept_apart(log: Log) -> None:
    log.workspace()
    log.workspace(OTHER, "Other")
    log.agent("grace")
    log.agent("grace", OTHER)
    log.removal(Kind.AGENT, "grace")
    assert (log.agents(ACME), log.agents(OTHER)) == ([], ["grace"])
    assert (log.directory.workspaces_of(1), log.directory.workspaces_of(2)) == ([ACME], [OTHER])


def test_a_removed_workspace_takes_its_keys_and_agents_with_it(log: Log) -> None:
    log.workspace()
    log.agent("grace")
    log.api_key("key_1", "hash")
    assert log.directory.find_api_key("hash") == (ACME, "key_1")
    log.removal(Kind.WORKSPACE, ACME)
    assert log.directory.find(ACME) is None
    assert log.agents() == []
    assert log.directory.find_api_key("hash") is None
    assert log.directory.workspaces_of(1) == [ACME], "its removal is still to be told"


def test_a_removed_key_opens_nothing(log: Log) -> None:
    log.workspace()
    log.api_key("key_1", "first")
    log.api_key("key_2", "second")
    log.removal(Kind.API_KEY, "key_1")
    assert log.directory.find_api_key("first") is None
    assert log.directory.find_api_key("second") == (ACME, "key_2")


def test_a_key_whose_hash_changed_opens_by_the_new_one_only(log: Log) -> None:
    log.workspace()
    log.api_key("key_1", "old")
    log.api_key("key_1", "new")
    assert log.directory.find_api_key("new") == (ACME, "key_1")
    assert log.directory.find_api_key("old") is None


def test_removing_what_is_not_there_is_fine(log: Log) -> None:
    for kind, name in ((Kind.AGENT, "grace"), (Kind.API_KEY, "key_1"), (Kind.WORKSPACE, ACME)):
        log.removal(kind, name)
    assert log.directory.find(ACME) is None


def test_an_event_of_another_kind_changes_nothing(log: Log) -> None:
    log.workspace()
    stray = AcceptChat(conversation_id=ConversationId("cnv_1"), agent_id=AgentId("grace"))
    log.tell(ACME, Kind.WORKSPACE, ACME, stray)
    assert log.directory.find(ACME) is not None


@given(
    st.lists(st.tuples(st.sampled_from(["put", "remove"]), st.sampled_from(["a", "b", "c"])), max_size=20)
)
def test_a_compacted_log_makes_the_same_agents_as_the_whole(changes: list[tuple[str, str]]) -> None:
    whole, compacted = Log(), Log()
    last = {name: offset for offset, (_, name) in enumerate(changes)}
    for log in (whole, compacted):
        log.workspace()
    for offset, (what, name) in enumerate(changes):
        for log, kept in ((whole, True), (compacted, last[name] == offset)):
            if not kept:
                continue
            if what == "put":
                log.agent(name, capacity=offset + 1)
            else:
                log.removal(Kind.AGENT, name)

    def told(log: Log) -> dict[str, int | None]:
        return {each.entry.id: each.entry.capacity for each in log.directory.agents_of(ACME)}

    assert told(whole) == told(compacted)


@pytest.mark.parametrize("kind", Kind)
def test_a_record_key_names_its_entry(kind: Kind) -> None:
    assert parse_directory_key(directory_key(ACME, kind, "x-1")) == (ACME, kind, "x-1")


@pytest.mark.parametrize("key", ["", "acme", "acme/agent", "acme/agent/x/y", "acme/ghost/x"])
def test_what_is_no_such_key_is_a_value_error(key: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which one it is says nothing to the caller
        parse_directory_key(key)


def test_a_saved_reply_is_known_until_it_is_removed(log: Log) -> None:
    log.workspace()
    reply = SavedReplyEntry(id=SavedReplyId("hello"), shortcut="hi", title="Hello", text="Hello!")
    log.tell(ACME, Kind.SAVED_REPLY, reply.id, SavedReplyDefined(saved_reply=reply))
    found = log.directory.find(ACME)
    assert found is not None
    assert found.saved_replies[reply.id].entry == reply
    log.removal(Kind.SAVED_REPLY, reply.id)
    assert found.saved_replies == {}

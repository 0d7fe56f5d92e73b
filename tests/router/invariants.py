"""What always holds at a switchboard, each rule once and by name. Each raises when it does not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rondo_common.ids import AgentId, ConversationId
from tests.router.plain_chats import Chat
from tests.router.plain_workspace import Workspace
from tests.router.story import Story

# --- of the log ----------------------------------------------------------------------------------


def one_open_offer(story: Story) -> None:
    """At no time was a conversation offered to two agents."""
    assert {each for each, tale in story.tales.items() if tale.open_most > 1} == set()


def nobody_tried_twice(story: Story) -> None:
    """Nobody was offered the same conversation twice along its plan."""
    for conversation, tale in story.tales.items():
        assert len(tale.asked) == len(set(tale.asked)), (conversation, tale.asked)


def exactly_one_winner(story: Story) -> None:
    """Who accepts is who it was offered to; a second one accepts only what was handed over."""
    for conversation, tale in story.tales.items():
        for agent, open_to in tale.wins:
            assert open_to == [agent], (conversation, agent, open_to)
        assert len(tale.wins) <= 1 + tale.handed_over, (conversation, tale.told)


def every_chat_ends_in_one_final_state(story: Story, *, is_over: bool = False) -> None:
    """A conversation ends once, and nothing follows. When all is over, every one has ended."""
    for conversation, tale in story.tales.items():
        assert len(tale.finals) <= 1, (conversation, tale.told)
        assert tale.told_after_the_end == [], (conversation, tale.told)
        assert tale.finals or not is_over, (conversation, tale.told)


def capacity_never_passed(loads: Iterable[tuple[AgentId, int]], capacities: Mapping[AgentId, int]) -> None:
    """Nobody who was given a place holds more than they have room for then."""
    for agent, load in loads:
        assert load <= capacities.get(agent, 0), (agent, load, capacities)


def no_turn_served_twice(story: Story) -> None:
    """In each pool every turn is one agent's, once."""
    for pool, served in story.turns.items():
        assert len(served) == len(set(served)), (pool, served)


def fair_rotation(offers: Counter[str], steady: Iterable[str]) -> None:
    """Among agents who were available throughout, the numbers of chats offered differ by one at most."""
    counts = [offers[each] for each in steady]
    assert max(counts) - min(counts) <= 1, offers


# --- of a switchboard ----------------------------------------------------------------------------


def holders_match_places(story: Story, held: Mapping[AgentId, Collection[str]]) -> None:
    """Each agent holds places for exactly the conversations that are theirs or offered to them."""
    for agent, conversations in held.items():
        assert set(conversations) == story.held(agent), agent


def nobody_waits_whom_an_agent_could_take(workspace: Workspace) -> None:
    """Whoever has room has taken whoever may go to them."""
    for agent in workspace.seats:
        if workspace.unfit(agent) is None:
            able = [each for each in workspace.line() if workspace.may_take(agent, each)]
            assert able == [], (agent, [each.conversation_id for each in able])


@dataclass(frozen=True)
class Waiting:
    """One who waits: before whom, and who may take them."""

    conversation_id: ConversationId
    line_key: tuple[int, int]
    may_take: Callable[[AgentId], bool]


def line_of(workspace: Workspace) -> list[Waiting]:
    """Who waits now, and who may take them, should the pools change also then."""
    return [
        Waiting(chat.conversation_id, chat.line_key, _takers(workspace, chat)) for chat in workspace.line()
    ]


def _takers(workspace: Workspace, chat: Chat) -> Callable[[AgentId], bool]:
    tried, stages = tuple(chat.tried), tuple(chat.stages_ahead())

    def may_take(agent: AgentId) -> bool:
        return agent not in tried and any(agent in workspace.members(stage) for _, stage in stages)

    return may_take


def strict_queue_order(line: Sequence[Waiting], offers: Iterable[tuple[ConversationId, AgentId]]) -> None:
    """Who was taken from the line was the first of those who might go to that agent."""
    left = list(line)
    for conversation, agent in offers:
        taken = next((each for each in left if each.conversation_id == conversation), None)
        if taken is None:
            continue  # They did not wait.
        before = [each for each in left if each.line_key < taken.line_key and each.may_take(agent)]
        assert before == [], (conversation, agent, [each.conversation_id for each in before])
        left.remove(taken)

"""Which agents can ever be rung."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rondo_common.directory.entries import AccountEntry, AgentEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId
from rondo_gateway.domain.findings import WORKSPACE, Finding, Flaw, enumerated

ACCOUNTS_SHOWN_MAX = 1_000


class Reachability:
    """Who of a workspace can be rung, and why the others cannot."""

    def __init__(self, directory: WorkspaceDirectory) -> None:
        self._directory = directory

    def chatting(self) -> list[AgentEntry]:
        """Every agent who may chat."""
        agents = [each.entry for each in self._directory.agents.values()]
        return [each for each in agents if self._directory.may_chat(each)]

    def of(self, agent_ids: Sequence[AgentId]) -> set[AgentId]:
        """Those who can be rung. The toggle does not count: it holds for hours, not for good."""
        return {each for each in agent_ids if self._why_not(each) is None}

    def finding(self, subject: str, agent_ids: Sequence[AgentId], instead: str) -> Finding | None:
        """What is wrong with a rule's or team's members; ``instead`` says what becomes of its visitors."""
        if not agent_ids:
            return _finding(
                subject, Flaw.NO_AGENTS, f"It has no agents: {instead}. Add some, or delete it."
            )
        if self.of(agent_ids):
            return None
        reasons = [f"{each} ({self._why_not(each)})" for each in agent_ids]
        detail = f"None of its agents can be rung: {enumerated(reasons)}. So {instead}."
        return _finding(subject, Flaw.NO_REACHABLE_AGENTS, detail)

    def account_findings(self) -> Iterator[Finding]:
        """The accounts whose owner cannot be tried."""
        accounts = [each.entry for each in self._directory.accounts]
        ownerless = sorted((each for each in accounts if self._why_no_chat(each.owner_id)), key=_id)
        for account in ownerless[:ACCOUNTS_SHOWN_MAX]:
            why = self._why_no_chat(account.owner_id)
            detail = (
                f"Its owner {account.owner_id} {why}: its visitors are routed like all others. "
                "Name another owner, or let this one chat."
            )
            yield _finding(f"account/{account.id}", Flaw.UNKNOWN_OWNER, detail)
        more = len(ownerless) - ACCOUNTS_SHOWN_MAX
        if more > 0:
            detail = f"{more} more accounts have an owner who is not there or may not chat."
            yield _finding(WORKSPACE, Flaw.UNKNOWN_OWNER, detail)

    def _why_not(self, agent_id: AgentId) -> str | None:
        why = self._why_no_chat(agent_id)
        if why is None and self._directory.agents[agent_id].entry.schedule == ():
            return "has an empty schedule"
        return why

    def _why_no_chat(self, agent_id: AgentId) -> str | None:
        defined = self._directory.agents.get(agent_id)
        if defined is None:
            return "does not exist"
        return None if self._directory.may_chat(defined.entry) else "may not chat"


def _finding(subject: str, problem: Flaw, detail: str) -> Finding:
    return Finding(subject=subject, problem=problem, detail=detail)


def _id(account: AccountEntry) -> str:
    return account.id

"""The rule linter, as a workspace's administrators ask for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rondo_common.clock import Clock
from rondo_common.permissions import Permission
from rondo_gateway.domain.findings import Finding, FindingList
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.rule_lint import lint
from rondo_gateway.handlers.own_workspace import managed_workspace
from rondo_gateway.ports import DirectoryView


class RuleLint:
    """Looks for what cannot work in the caller's workspace."""

    def __init__(
        self, directory: DirectoryView, clock: Clock, let_others_run: Callable[[], Awaitable[None]]
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._let_others_run = let_others_run

    async def findings(self, caller: Principal) -> FindingList:
        """Everything that is wrong with it now."""
        found = await managed_workspace(self._directory, caller, Permission.ADMIN_CUSTOM_RULES)
        findings: list[Finding] = []
        for part in lint(found, self._clock()):
            findings += part
            await self._let_others_run()  # Hundreds of rules take a while, and live streams wait.
        return FindingList(data=findings)

"""Bringing all rules of a workspace into an order at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rondo_common.directory.entries import Kind, RuleEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.errors import Conflict
from rondo_common.events import RuleDefined
from rondo_common.ids import RuleId
from rondo_common.permissions import Permission
from rondo_gateway.domain.permissions import require_staff
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.provisioned import RuleList, rule_of
from rondo_gateway.domain.provisioning import RuleOrderBody
from rondo_gateway.handlers.own_workspace import managed_workspace
from rondo_gateway.ports import WRITE_ENTRIES_MAX, Definition, DirectoryLog, DirectoryView


class RuleOrder:
    """Says in which order rules are tried."""

    def __init__(self, directory: DirectoryView, log: DirectoryLog) -> None:
        self._directory = directory
        self._log = log

    async def arrange(self, caller: Principal, body: RuleOrderBody) -> RuleList:
        """Give the rules the priorities 1, 2, 3 … in the order named; all rules, in that order.

        Raises:
            Conflict: those named are not the rules there are: somebody added or deleted one meanwhile.
        """
        workspace_id = require_staff(caller).workspace_id
        async with self._log.changing(workspace_id):
            found = await managed_workspace(self._directory, caller, Permission.ADMIN_CUSTOM_RULES)
            present = _named(found, [RuleId(each) for each in body.rule_ids])
            arranged = [
                each.model_copy(update={"priority": priority})
                for priority, each in enumerate(present, start=1)
            ]
            changed = [
                Definition(Kind.RULE, after.id, RuleDefined(rule=after))
                for before, after in zip(present, arranged, strict=True)
                if before.priority != after.priority
            ]
            for start in range(0, len(changed), WRITE_ENTRIES_MAX):
                await self._log.write(workspace_id, changed[start : start + WRITE_ENTRIES_MAX])
        return RuleList(data=[rule_of(each) for each in arranged], next_cursor=None)


def _named(found: WorkspaceDirectory, rule_ids: Sequence[RuleId]) -> list[RuleEntry]:
    if Counter(rule_ids) != Counter(list(found.rules)):
        raise Conflict(
            "rules-changed",
            "These are not the rules of the workspace, each of them once. Read the list again, and "
            "send all of its ids in the order you want.",
        )
    return [found.rules[each].entry for each in rule_ids]

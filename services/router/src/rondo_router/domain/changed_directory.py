"""A workspace's directory as it would be: the present one, with changes from a file."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rondo_common.conversation import Value
from rondo_common.directory.accounts import Accounts
from rondo_common.directory.defined import Defined
from rondo_common.directory.entries import (
    AccountEntry,
    AgentEntry,
    ProfileEntry,
    RuleEntry,
    TeamEntry,
    WorkspaceSettings,
    places_after,
)
from rondo_common.directory.view import WorkspaceDirectory

CHANGES = TypeAdapter(dict[str, dict[str, Any]])
KINDS = ("workspace", "agents", "teams", "rules", "accounts", "profiles")
VERSION = 0
"""Nobody asks for the versions of entries that are only supposed."""


class BadChanges(ValueError):
    """The file of changes cannot be used; the text says where and why. Mend the file."""


def read_changes(text: str) -> dict[str, dict[str, Any]]:
    """The changes in a file: ``{"workspace": {…settings}, "agents": {"id": {…} or null}, …}``.

    Raises:
        BadChanges: it is not of that form.
    """
    try:
        changes = CHANGES.validate_json(text)
    except ValidationError as error:
        raise BadChanges(f"not a JSON object of objects: {error.errors()[0]['msg']}") from None
    if unknown := sorted(changes.keys() - set(KINDS)):
        raise BadChanges(f"unknown kind {unknown[0]!r}; there are {', '.join(KINDS)}")
    return changes


def with_changes(
    present: WorkspaceDirectory, changes: Mapping[str, Mapping[str, Any]]
) -> WorkspaceDirectory:
    """``present`` with entries changed (fields that are named), added, or (null) removed.

    Raises:
        BadChanges: an entry would not be one.
    """
    changed = copy(present)
    if present.workspace is not None:
        settings = _entry(
            WorkspaceSettings, present.workspace.settings, changes.get("workspace", {}), "workspace"
        )
        changed.workspace = present.workspace.model_copy(update={"settings": settings})
    changed.agents = _agents(present, changes.get("agents", {}))
    changed.teams = _pools(TeamEntry, present.teams, changes.get("teams", {}), "teams")
    changed.rules = _pools(RuleEntry, present.rules, changes.get("rules", {}), "rules")
    changed.profiles = _changed(ProfileEntry, present.profiles, changes.get("profiles", {}), "profiles")
    changed.accounts = _accounts(present.accounts, changes.get("accounts", {}))
    return changed


def _agents(present: WorkspaceDirectory, changes: Mapping[str, Any]) -> dict[Any, Defined[AgentEntry]]:
    agents = _changed(AgentEntry, present.agents, changes, "agents")
    place = present.place_last
    for agent_id in changes:
        if agent_id in agents and agent_id not in present.agents:
            place += 1
            entry = agents[agent_id].entry.model_copy(update={"place": place})
            agents[agent_id] = Defined(entry, VERSION)
    return agents


def _pools(
    model: type[TeamEntry] | type[RuleEntry],
    present: Mapping[Any, Defined[Any]],
    changes: Mapping[str, Any],
    kind: str,
) -> dict[Any, Defined[Any]]:
    pools = _changed(model, present, changes, kind)
    for pool_id in changes:
        if pool_id in pools:
            before = present[pool_id].entry.places if pool_id in present else {}
            entry = pools[pool_id].entry
            places = places_after(before, entry.agent_ids)
            pools[pool_id] = Defined(entry.model_copy(update={"places": places}), VERSION)
    return pools


def _accounts(present: Accounts, changes: Mapping[str, Any]) -> Accounts:
    before = {defined.entry.id: defined for defined in present}
    accounts = Accounts()
    for defined in _changed(AccountEntry, before, changes, "accounts").values():
        accounts.put(defined.entry, defined.offset)
    return accounts


def _changed(
    model: type[Value], present: Mapping[Any, Defined[Any]], changes: Mapping[str, Any], kind: str
) -> dict[Any, Defined[Any]]:
    entries = dict(present)
    for entry_id, fields in changes.items():
        if fields is None:
            entries.pop(entry_id, None)
        elif not isinstance(fields, Mapping):
            raise BadChanges(f"{kind}/{entry_id}: must be an object of fields, or null")
        else:
            known = entries[entry_id].entry if entry_id in entries else None
            entry = _entry(model, known, {"id": entry_id, **fields}, f"{kind}/{entry_id}")
            entries[entry_id] = Defined(entry, VERSION)
    return entries


def _entry(model: type[Value], known: Value | None, fields: Mapping[str, Any], where: str) -> Any:
    before = {} if known is None else known.model_dump(mode="json")
    try:
        return model.model_validate({**before, **fields})
    except (ValidationError, TypeError) as error:
        what = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        place = "/".join([where, *(str(each) for each in what["loc"])])
        raise BadChanges(f"{place}: {what['msg']}") from None

"""A workspace's settings: how they are changed, and which permission each of them needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from rondo_common.directory.entries import WorkspaceSettings
from rondo_common.permissions import Permission
from rondo_gateway.domain.chat_hooks import unmasked_settings
from rondo_gateway.domain.email_domains import normal_domain
from rondo_gateway.domain.refusals import Invalid

SETTING_PERMISSIONS: Mapping[str, Permission] = {
    "live_chat_enabled": Permission.ADMIN_ROUND_ROBIN,
    "time_zone": Permission.ADMIN_ROUND_ROBIN,
    "agent_capacity": Permission.ADMIN_ROUND_ROBIN,
    "offer_timeout_s": Permission.ADMIN_ROUND_ROBIN,
    "offer_attempts": Permission.ADMIN_ROUND_ROBIN,
    "presence_required": Permission.ADMIN_ROUND_ROBIN,
    "queue": Permission.ADMIN_ROUND_ROBIN,
    "fallback": Permission.ADMIN_ROUND_ROBIN,
    "idle_timeout_s": Permission.ADMIN_ROUND_ROBIN,
    "visitor_lease_s": Permission.ADMIN_ROUND_ROBIN,
    "blocked_email_domains": Permission.ADMIN_SECURITY,
    "engagements_per_month_max": Permission.ADMIN_SECURITY,
    "retention_days": Permission.ADMIN_SECURITY,
    "allowed_origins": Permission.ADMIN_SECURITY,
    "rate_limits": Permission.ADMIN_SECURITY,
    "widget": Permission.ADMIN_INTEGRATIONS,
    "alerts": Permission.ADMIN_INTEGRATIONS,
}
"""What an agent must be permitted to change each setting. One that is not listed needs security."""


def permissions_to_patch(names: Iterable[str]) -> frozenset[Permission]:
    """The permissions that a patch of the settings so named needs, all of them."""
    known = WorkspaceSettings.model_fields.keys() & set(names)
    return frozenset(SETTING_PERMISSIONS.get(name, Permission.ADMIN_SECURITY) for name in known)


def patched_settings(settings: WorkspaceSettings, patch: Mapping[str, Any]) -> WorkspaceSettings:
    """``settings`` after a JSON merge patch (RFC 7396): null puts a setting back to its default.

    Raises:
        Invalid: a setting is unknown, or its value is not one it can have.
    """
    try:
        # As JSON, for strictness: "5" is no number there either, yet objects may become models.
        merged = json.dumps(_merged(settings.model_dump(mode="json"), patch))
        patched = WorkspaceSettings.model_validate_json(merged, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid("".join(f"/{token}" for token in first["loc"]), first["msg"]) from None
    except RecursionError:
        raise Invalid("", "the settings are nested too deeply") from None
    return patched.model_copy(
        update={
            "blocked_email_domains": _normal(patched.blocked_email_domains),
            "alerts": unmasked_settings(patched.alerts, settings.alerts.chat_hooks),
        }
    )


def _normal(domains: tuple[str, ...]) -> tuple[str, ...]:
    normal = []
    for index, domain in enumerate(domains):
        try:
            normal.append(normal_domain(domain))
        except ValueError as error:
            raise Invalid(f"/blocked_email_domains/{index}", str(error)) from None
    return tuple(dict.fromkeys(normal))


def _merged(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 7396, except that unknown names stay, so that they are refused and not passed over."""
    result = dict(target)
    for name, value in patch.items():
        present = target.get(name)
        if value is None and name in target:
            del result[name]
        elif isinstance(present, Mapping) and isinstance(value, Mapping):
            result[name] = _merged(present, value)
        else:
            result[name] = value
    return result

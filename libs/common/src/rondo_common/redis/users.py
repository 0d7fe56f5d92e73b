"""Who may do what on Redis: one user a service, declared once.

From here come the ACL file that operators are offered (`docs/operations/redis-users.acl`) and that of the
local secure server. A function acts as the user that calls it, so what functions do is listed too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from rondo_common import access

EVERY_CONNECTION = (
    "ping",
    "select",
    "client|setname",
    "command",
    "cluster|slots",
    "asking",
    "fcall",
    "function|load",
    "function|list",
    "function|delete",
    "wait",
)
"""What the client library needs to connect, to a cluster too; functions, and waiting for replicas.

Here and below, only what Redis 7.0 knows: an ACL file with an unknown command is refused as a whole."""

DOORBELLS = "rondo:doorbells"
"""The channel that holds a subscription connection open; nobody rings it."""


@dataclass(frozen=True, slots=True)
class RedisUser:
    """A user: commands, keys that are read and written, read only, or only removed, and channels.

    Patterns are Redis' own. Keys that a function is given count as written, also where it only reads them.
    """

    name: str
    commands: tuple[str, ...]
    keys: tuple[str, ...] = ()
    keys_read: tuple[str, ...] = ()
    keys_removed: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    does: str = ""

    def rules(self) -> Iterator[str]:
        """The rules of the user, beginning from none."""
        yield from ("reset", "on")
        yield from (f"~{each}" for each in self.keys)
        yield from (f"%R~{each}" for each in self.keys_read)
        yield from (f"&{each}" for each in self.channels)
        yield from (each if each.startswith(("+", "-")) else f"+{each}" for each in self.commands)
        if self.keys_removed:
            yield f"(+del {' '.join(f'%W~{each}' for each in self.keys_removed)})"


def _of_workspace(*names: str) -> tuple[str, ...]:
    """Patterns of keys of any workspace. See :mod:`rondo_common.redis.keys`."""
    return tuple(f"rondo:{{*}}:{name}" for name in names)


GATEWAY = RedisUser(
    "gateway",
    (
        *EVERY_CONNECTION,
        *("subscribe", "unsubscribe", "publish"),
        *("exists", "del", "expire", "pexpire", "ttl", "pttl"),
        *("get", "getdel", "set", "incr", "scard", "smembers", "sadd"),
        *("hget", "hmget", "hgetall", "hexists", "hset", "hsetnx", "hdel"),
        *("zadd", "zrem", "zremrangebyscore", "zscore", "zrank", "zcount"),
        *("zrange", "zrevrange", "zrevrangebyscore"),
        *("xinfo|stream", "xrange", "xrevrange"),
    ),
    keys=(
        "rondo:{*}",
        *_of_workspace("epoch", "queue", "queue:pace_s", "conversation:*", "agent:*:conversations"),
        *_of_workspace("agent:*:sessions", "sign_in_*", "request:*", "requests_offset", "limit:*"),
        *_of_workspace("directory_offset", "directory_turn", "agent_place"),
        *_of_workspace("presence", "presence:announced", "visitor_presence", "webhook:*:asked"),
        "rondo:webhooks:{*}:touched",
    ),
    keys_read=_of_workspace(
        "mailbox:*",
        "alert:*",
        "agent:*:alerts",
        "answer:*",
        *(f"webhook:*:{part}" for part in ("state", "order", "records")),
    ),
    channels=(
        DOORBELLS,
        *_of_workspace("mailbox:*", "alert:*", "answer:*", "queue", "agent:*:sessions"),
        "rondo:webhooks:{*}:touched",
    ),
    does="reads views, mailboxes, answers, alerts; writes first views, presence, and what it keeps itself",
)

ROUTER = RedisUser(
    "router",
    (
        *EVERY_CONNECTION,
        "publish",
        *("exists", "del", "unlink", "expire", "scan"),
        *("get", "set", "incr"),
        *("hget", "hmget", "hset", "hdel", "hincrby"),
        *("lrange", "lrem", "rpush"),
        *("sadd", "srem", "scard", "smembers"),
        *("zadd", "zrem", "zscore", "zrank", "zcard", "zcount", "zrange", "zrangebyscore"),
    ),
    keys=(
        "rondo:{*}",
        *_of_workspace("epoch", "chat:*", "decision:*", "untold", "agents", "agent:*", "pools", "pool:*"),
        *_of_workspace("queue", "queue:*", "waiting:*", "engagements", "conversation:*", "timers"),
        *_of_workspace("answer:*", "presence"),
        "rondo:epoch:{*}",
        "rondo:adopted:{*}",
    ),
    keys_read=_of_workspace("visitor_presence"),
    channels=_of_workspace("queue", "answer:*"),
    does="decides: chats, agents, rotation, queue, timers, views and answers",
)

NOTIFIER = RedisUser(
    "notifier",
    (
        *EVERY_CONNECTION,
        *("subscribe", "unsubscribe", "publish"),
        *("exists", "del", "unlink", "expire", "pexpire"),
        *("get", "set", "sadd", "spop"),
        *("hget", "hmget", "hgetall", "hexists", "hkeys", "hlen", "hset", "hsetnx", "hdel", "hincrby"),
        *("lrange", "llen", "ltrim", "rpush"),
        *("zadd", "zrem", "zremrangebyrank", "zremrangebylex", "zscore", "zcard"),
        *("zrange", "zrangebyscore", "zrangebylex"),
        *("xadd", "xrange", "xdel"),
    ),
    keys=(
        *_of_workspace("mailbox:*", "alert:*", "alert_of:*", "agent:*:alerts"),
        *_of_workspace("coverage", "coverage:waiting", "alarms", "webhook:*"),
        "rondo:alerts:{*}:*",
        "rondo:webhooks:{*}*",
        "rondo:{mail}:*",
    ),
    keys_read=_of_workspace("presence", "queue"),
    keys_removed=_of_workspace("conversation:*"),
    channels=(DOORBELLS, *_of_workspace("mailbox:*", "alert:*"), "rondo:webhooks:{*}:touched"),
    does="fills mailboxes, keeps alerts, mails and webhooks; removes views of erased conversations",
)

OPERATORS = RedisUser(
    access.OPERATORS,
    (
        *("ping", "select", "client|setname", "command"),
        *("+@read", "-@dangerous", "info", "time", "function|list", "wait"),
        *("cluster|slots", "cluster|nodes", "cluster|info"),
    ),
    keys_read=("rondo:*",),
    does="watch, and change nothing; `rondo doctor` is content with it",
)

USERS = (GATEWAY, ROUTER, NOTIFIER, OPERATORS)
"""Every user. The history and live metrics have nothing to do with Redis."""


def acl_file(passwords: Mapping[str, str]) -> str:
    """An ACL file for the users, with the SHA-256 of the passwords given by name; nobody else is let in."""
    lines = (_line(each, f"#{sha256(passwords[each.name].encode()).hexdigest()}") for each in USERS)
    return "user default reset\n" + "".join(lines)


def acl_template() -> str:
    """The same, with the words SHA256-OF-… where a password's hash belongs."""
    lines = (_line(each, f"#SHA256-OF-THE-PASSWORD-OF-{each.name.upper()}") for each in USERS)
    return "user default reset\n" + "".join(lines)


def _line(user: RedisUser, password: str) -> str:
    reset, on, *rest = user.rules()
    return f"user {user.name} {reset} {on} {password} {' '.join(rest)}\n"

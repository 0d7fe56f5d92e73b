"""Commands over a WebSocket: a JSON frame each, answered by one, by the same use cases as over HTTP."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from rondo_common.ids import ID_PATTERN, ConversationId
from rondo_common.problems import Problem, invalid, invalid_fields, problem_body
from rondo_gateway.domain.attention import ReadBody
from rondo_gateway.domain.limits import CLIENT_ID_LENGTH_MAX, INTEGER_MAX, Body
from rondo_gateway.domain.message import MessageBody
from rondo_gateway.domain.principals import Principal
from rondo_gateway.entrypoints.problems import any_problem
from rondo_gateway.handlers.conversations import Decided
from rondo_gateway.handlers.use_cases import UseCases

NOTHING = "null"
OF_NO_CONVERSATION = "ping"

Fields = Mapping[str, Any]
Run = Callable[[UseCases, Principal, ConversationId, Fields], Awaitable[str]]
"""Does what a command says; its result as JSON."""


@dataclass(frozen=True, slots=True)
class Command:
    """One frame, read."""

    type: str
    conversation_id: ConversationId | None
    fields: Fields


class SocketCommands:
    """Carries out the commands of one socket, one after the other."""

    def __init__(self, use_cases: UseCases, caller: Principal, own: ConversationId | None) -> None:
        self._use_cases = use_cases
        self._caller = caller
        self._own = own
        """The conversation that a conversation's socket is about."""

    async def answer(self, frame: str | None) -> str:
        """The answer to a frame; to whatever it is, one. None stands for a frame that is no text."""
        name: str | int | None = None
        try:
            given = _object_in(frame)
            name = _name_in(given)
            result = await self._run(_command_in(given))
        except Exception as error:
            return _refusal(name, error)
        return f'{{"id":{json.dumps(name)},"ok":true,"result":{result}}}'

    async def _run(self, command: Command) -> str:
        await self._use_cases.presence.note_request(self._caller)
        if command.type == OF_NO_CONVERSATION:
            _Empty.model_validate(command.fields)
            return NOTHING
        run = _COMMANDS[command.type]
        return await run(self._use_cases, self._caller, self._conversation_of(command), command.fields)

    def _conversation_of(self, command: Command) -> ConversationId:
        named = command.conversation_id or self._own
        if named is None:
            raise invalid("/conversation_id", "name the conversation that this is about")
        if self._own is not None and named != self._own:
            raise invalid("/conversation_id", f"this socket is about {self._own} alone")
        return named


class _Empty(Body):
    """No fields at all."""


def _object_in(frame: str | None) -> Fields:
    if frame is None:
        raise _malformed("Send text frames, with JSON.")
    try:
        given = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"The frame is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise _malformed("The frame is no JSON object.")
    return given


def _name_in(given: Fields) -> str | int:
    name = given.get("id")
    if isinstance(name, str) and 1 <= len(name) <= CLIENT_ID_LENGTH_MAX:
        return name
    if isinstance(name, int) and not isinstance(name, bool) and abs(name) <= INTEGER_MAX:
        return name
    raise invalid("/id", f"give a text of 1 to {CLIENT_ID_LENGTH_MAX} characters or a whole number")


def _command_in(given: Fields) -> Command:
    kind = given.get("type")
    if kind != OF_NO_CONVERSATION and kind not in tuple(_COMMANDS):
        raise invalid("/type", f"give one of {', '.join((*_COMMANDS, OF_NO_CONVERSATION))}")
    about = given.get("conversation_id")
    if about is not None and not (isinstance(about, str) and re.fullmatch(ID_PATTERN, about)):
        raise invalid("/conversation_id", "this is no id of a conversation")
    beside = {name: each for name, each in given.items() if name not in _FRAME}
    fields = given.get("data", beside)
    if not isinstance(fields, dict):
        raise invalid("/data", "give a JSON object")
    if fields is not beside and beside:
        raise invalid(f"/{next(iter(beside))}", "give the fields in `data` or beside it, not in both")
    return Command(str(kind), None if about is None else ConversationId(about), fields)


async def _message(
    gateway: UseCases, caller: Principal, conversation_id: ConversationId, fields: Fields
) -> str:
    posted = await gateway.messages.post(caller, conversation_id, MessageBody.model_validate(fields))
    return posted.message.model_dump_json()


async def _typing(
    gateway: UseCases, caller: Principal, conversation_id: ConversationId, fields: Fields
) -> str:
    _Empty.model_validate(fields)
    await gateway.attention.typing(caller, conversation_id)
    return NOTHING


async def _read(
    gateway: UseCases, caller: Principal, conversation_id: ConversationId, fields: Fields
) -> str:
    await gateway.attention.read(caller, conversation_id, ReadBody.model_validate(fields))
    return NOTHING


async def _accept(
    gateway: UseCases, caller: Principal, conversation_id: ConversationId, fields: Fields
) -> str:
    _Empty.model_validate(fields)
    return _decided(await gateway.conversations.accept(caller, conversation_id))


async def _decline(
    gateway: UseCases, caller: Principal, conversation_id: ConversationId, fields: Fields
) -> str:
    _Empty.model_validate(fields)
    return _decided(await gateway.conversations.decline(caller, conversation_id))


_COMMANDS: Mapping[str, Run] = {
    "message": _message,
    "typing": _typing,
    "read": _read,
    "accept": _accept,
    "decline": _decline,
}
_FRAME = frozenset({"id", "type", "conversation_id", "data"})


def _decided(decided: Decided) -> str:
    """The conversation; null while the router has not decided: look at it later."""
    return NOTHING if decided.conversation is None else decided.conversation.model_dump_json()


def _malformed(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "malformed-request", detail)


def _refusal(name: str | int | None, error: Exception) -> str:
    trace_id = uuid.uuid4().hex
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_input=False, include_context=False)
        problem = invalid_fields([{**each, "loc": ("body", *each["loc"])} for each in found])
    else:
        problem = any_problem(error, "a command over a socket", trace_id)
    return json.dumps({"id": name, "ok": False, "problem": told(problem, trace_id)})


def told(problem: Problem, trace_id: str) -> dict[str, Any]:
    """The problem in a frame, where no header can say when to repeat."""
    body = problem_body(problem, trace_id)
    if problem.headers and "Retry-After" in problem.headers:
        body["retry_after_s"] = int(problem.headers["Retry-After"])
    return body

"""Redis Functions: calls made together, each with its own answer; functions that were lost."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from rondo_common.errors import Fenced, Unavailable
from rondo_common.redis.connection import connect_redis
from rondo_common.redis.functions import OTHER_VERSIONS_MAX, FunctionCall, FunctionLibrary


def library(redis: Redis) -> tuple[FunctionLibrary, str]:
    """A library of one function that answers what it is told, or fails as it is told."""
    name = f"echo_{uuid.uuid4().hex}"
    source = f"""#!lua name={name}
redis.register_function('{name}', function(keys, args)
  if args[1] == 'fenced' then return redis.error_reply('FENCED by a test') end
  if args[1] == 'broken' then return redis.error_reply('broken by a test') end
  return args[1]
end)
"""
    return FunctionLibrary(redis, source), name


def call(name: str, argument: str) -> FunctionCall:
    return FunctionCall(name, (), (argument,))


async def test_calls_made_at_once_each_get_their_own_answer(redis: Redis) -> None:
    functions, name = library(redis)
    words = [f"word-{number}" for number in range(50)]
    assert await asyncio.gather(*(functions.call(call(name, word)) for word in words)) == words


async def test_a_refused_call_does_not_harm_those_that_travel_with_it(redis: Redis) -> None:
    functions, name = library(redis)
    calls = [functions.call(call(name, word)) for word in ("a", "fenced", "b", "broken")]
    a, fenced, b, broken = await asyncio.gather(*calls, return_exceptions=True)
    assert (a, b) == ("a", "b")
    assert isinstance(fenced, Fenced)
    assert isinstance(broken, ResponseError)


async def test_functions_that_redis_lost_are_loaded_again(redis: Redis) -> None:
    functions, name = library(redis)
    await functions.load()
    await redis.function_delete(functions.name)
    assert await functions.call_all([call(name, "a"), call(name, "b")]) == ["a", "b"]


async def test_a_cancelled_caller_does_not_harm_the_others(redis: Redis) -> None:
    functions, name = library(redis)
    first, second = (asyncio.create_task(functions.call(call(name, each))) for each in "ab")
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "b"


async def test_a_redis_out_of_reach_is_unavailable_for_every_caller() -> None:
    nowhere = connect_redis("redis://127.0.0.1:1/0", client_name="test")
    functions, name = library(nowhere)
    results = await asyncio.gather(
        *(functions.call(call(name, "a")) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(each, Unavailable) for each in results)
    await nowhere.aclose()


def version_of(name: str, redis: Redis, word: str) -> FunctionLibrary:
    """A version of one library, whose function answers ``word``."""
    return FunctionLibrary(
        redis, f"#!lua name={name}\nredis.register_function('{name}', function() return '{word}' end)\n"
    )


async def test_two_versions_of_a_library_live_side_by_side_and_each_runs_its_own(redis: Redis) -> None:
    name = f"twins_{uuid.uuid4().hex}"
    before, after = version_of(name, redis, "before"), version_of(name, redis, "after")
    for _ in range(2):  # Each is loaded anew, as when its process starts, over the other.
        for each in (before, after):
            await each.load()
            assert await before.call(call(name, "")) == "before"
            assert await after.call(call(name, "")) == "after"


async def test_of_many_versions_a_few_stay_and_who_misses_theirs_has_it_again(redis: Redis) -> None:
    name = f"many_{uuid.uuid4().hex}"
    stranger = version_of(f"{name}_more", redis, "a longer name")
    await stranger.load()
    versions = [version_of(name, redis, f"version {number}") for number in range(OTHER_VERSIONS_MAX + 4)]
    for each in versions:
        await each.load()

    left = await redis.function_list(f"{name}*")
    assert len(left) == OTHER_VERSIONS_MAX + 2  # The last one and the stranger.
    for number, each in enumerate(versions):
        assert await each.call(call(name, "")) == f"version {number}"


def test_a_function_that_would_keep_its_name_in_every_version_is_refused(redis: Redis) -> None:
    source = "#!lua name=stubborn\nredis.register_function{function_name='a', callback=print}\n"
    with pytest.raises(ValueError, match="stubborn: register each function as"):
        FunctionLibrary(redis, source)

"""The raw limit of routing: consume JSON, one piped function call a request, produce."""

from __future__ import annotations

import asyncio
import json
import time

from redis.asyncio import Redis

from rondo_bench.raw_kafka import reading, scratch_topics, writing

LIBRARY = """#!lua name=rondo_bench
redis.register_function('rondo_bench_rotate', function(keys, args)
  local known = redis.call('GET', keys[1] .. ':' .. args[1])
  if known then return known end
  local first = redis.call('ZRANGE', keys[1], 0, 0, 'WITHSCORES')
  redis.call('ZADD', keys[1], tonumber(first[2]) + 1, first[1])
  redis.call('SET', keys[1] .. ':' .. args[1], first[1], 'EX', 600)
  return first[1]
end)
"""
KEY = "rondo:{bench-raw}:rotation"


async def piped_calls(bootstrap: str, redis_url: str, *, records: int, agents: int) -> float:
    """Decisions a second through one process that rotates ``agents`` agents and does nothing else."""
    redis = Redis.from_url(redis_url, decode_responses=True)
    await redis.function_load(LIBRARY, replace=True)
    await redis.zadd(KEY, {f"agent-{number}": number / 1000 for number in range(agents)})
    body = {"visitor": {"id": "u-17", "first_name": "Ada"}, "route": {"type": "round_robin"}}
    body["padding"] = {"text": "x" * 250}
    try:
        async with (
            scratch_topics(bootstrap, 2) as (first, second),
            writing(bootstrap) as producer,
            reading(bootstrap, first) as consumer,
        ):
            payload = json.dumps(body).encode()
            for confirmation in [await producer.send(first, payload) for _ in range(records)]:
                await confirmation
            started, done = time.perf_counter(), 0
            while done < records:
                batches = await consumer.getmany(timeout_ms=1000, max_records=500)
                bodies = [json.loads(record.value) for batch in batches.values() for record in batch]
                pipeline = redis.pipeline(transaction=False)
                for number in range(len(bodies)):
                    pipeline.fcall("rondo_bench_rotate", 1, KEY, f"{started}-{done + number}")
                chosen = await pipeline.execute()
                sent = [
                    await producer.send(second, json.dumps({**each, "agent": agent}).encode())
                    for each, agent in zip(bodies, chosen, strict=True)
                ]
                await asyncio.gather(*sent)
                done += len(bodies)
            return records / (time.perf_counter() - started)
    finally:
        async for key in redis.scan_iter(KEY + "*", count=1000):
            await redis.unlink(key)
        await redis.function_delete("rondo_bench")
        await redis.aclose()

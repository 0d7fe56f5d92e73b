"""The raw limit of the web server: a FastAPI application whose POST does nothing but produce.

Run as a module, it is that application; :func:`serving` starts it beside the load.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator

import aiohttp
import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request

START_TIMEOUT_S = 20.0


def application(bootstrap: str, topic: str) -> FastAPI:
    """``POST /`` produces the body and answers when the broker has it."""
    producer: AIOKafkaProducer | None = None

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal producer
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
        await producer.start()
        yield
        await producer.stop()

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.post("/", status_code=202)
    async def produce(request: Request) -> dict[str, bool]:
        assert producer is not None
        await producer.send_and_wait(topic, await request.body())
        return {"taken": True}

    return app


@contextlib.asynccontextmanager
async def serving(bootstrap: str, topic: str) -> AsyncIterator[str]:
    """Run the application in a process of its own; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rondo_bench.raw_http", bootstrap, topic, str(port)
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        async with asyncio.timeout(START_TIMEOUT_S):
            await _answering(url)
        yield url
    finally:
        os.kill(process.pid, signal.SIGTERM)
        await process.wait()


async def _answering(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.post(url, data=b"ready?") as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[1], sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[3]),
        log_level="warning",
        loop="uvloop",
        http="httptools",
    )

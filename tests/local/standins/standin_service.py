"""A process that behaves as the stack expects of a service, and as its variables ask it to."""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType


class Standin(BaseHTTPRequestHandler):
    """Ready at once; knows the workspaces it was asked to create."""

    def do_GET(self) -> None:
        """Answer /readyz and /healthz, and /environ with what the process was told."""
        told = {name: value for name, value in os.environ.items() if name.startswith("RONDO_")}
        self._answer(200, told)

    def do_POST(self) -> None:
        """Create a workspace."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(201, {"api_key": "rk_standin"})

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def _answer(self, status: int, body: dict[str, str]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    if os.environ["RONDO_INSTANCE"] == "doomed":
        print("first line\nlast words")
        sys.exit(1)
    signal.signal(signal.SIGTERM, _end)
    address = (os.environ["RONDO_HTTP_HOST"], int(os.environ["RONDO_HTTP_PORT"]))
    ThreadingHTTPServer(address, Standin).serve_forever()

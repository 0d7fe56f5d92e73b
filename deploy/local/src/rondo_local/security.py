"""What makes a stack secure: certificates of its own, and a password a user and server.

Every server class takes a `Security` or None. With one, it serves over TLS alone, knows every process
of ours as a user of its own, and its `told` says how that user is let in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from rondo_local.certificates import Certificates


@dataclass(frozen=True)
class Security:
    """The authority of the stack's certificates, and the seed its passwords are derived from."""

    certificates: Certificates
    seed: str = field(repr=False)

    def password(self, server: str, user: str) -> str:
        """The password of `user` at `server`: the same whenever asked for, and in need of no quoting.

        Derived, so that no server has to say beforehand which users it will have.
        """
        derived = hmac.digest(self.seed.encode(), f"{server}/{user}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(derived).rstrip(b"=").decode()

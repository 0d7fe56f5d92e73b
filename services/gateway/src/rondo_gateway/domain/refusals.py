"""Why a caller is refused, told by what they must do about it.

::

    RondoError
    ├── NotAuthenticated    show a credential that is valid
    │   └── LinkInvalid         ask for a new sign-in link
    ├── NotPermitted        use a credential that may do this
    │   ├── OriginNotAllowed    let the workspace allow the website
    │   └── ForeignPage         call from the gateway's own pages, with their token
    ├── NotFound            check the id
    ├── PreconditionFailed  read the present version and decide anew
    ├── TooLarge            send less
    ├── LimitReached        wait, then repeat
    └── Invalid             correct the field that ``pointer`` names

The present state refusing is :class:`rondo_common.errors.Conflict`, a dependency out of reach
:class:`rondo_common.errors.Unavailable`.
"""

from __future__ import annotations

from rondo_common.errors import RondoError


class NotAuthenticated(RondoError):
    """There is no credential, or it is not (or no longer) valid. Get a new one and repeat."""


class LinkInvalid(NotAuthenticated):
    """The sign-in link was used before, has expired, or is none. Ask for a new one."""


class NotPermitted(RondoError):
    """The credential is good, but not for this. Repeat with a caller who may, as the text says."""


class OriginNotAllowed(NotPermitted):
    """A page of this website may not call. Add its origin to the workspace's ``allowed_origins``."""

    def __init__(self, origin: str | None) -> None:
        where = "A request without an Origin header" if origin is None else f"A page of {origin[:300]}"
        super().__init__(f"{where} may not do this: it is none of the workspace's allowed_origins.")


class ForeignPage(NotPermitted):
    """A cookie came along with a request that is not known to be of the gateway's own pages. Send the
    session's ``csrf_token`` as ``X-CSRF-Token``, from the gateway's own origin."""


class LimitReached(RondoError):
    """More was asked than is allowed in so short a time. Repeat it after ``retry_after_s``."""

    def __init__(self, limit: str, retry_after_s: int) -> None:
        super().__init__(f"The limit {limit} is reached. Repeat this in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class NotFound(RondoError):
    """There is no such thing in the caller's workspace. Check the id."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is no {kind} {name} in this workspace. Check the id.")


class PreconditionFailed(RondoError):
    """What is there is not what the caller thinks. Read it, and repeat with the ETag it has now."""


class TooLarge(RondoError):
    """More than is taken at once. Nothing was taken; send it in parts, within the limit it names."""


class Invalid(RondoError):
    """One field cannot be taken as it is. ``pointer`` is its JSON pointer, such as ``/route/agent_id``."""

    def __init__(self, pointer: str, detail: str, *, code: str = "invalid-request") -> None:
        super().__init__(f"{pointer}: {detail}")
        self.pointer = pointer
        self.detail = detail
        self.code = code

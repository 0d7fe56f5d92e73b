"""What went wrong, told by what the caller must do about it.

::

    RondoError
    ├── Retryable           the same call may succeed later; repeating it is safe
    │   ├── Unavailable     a dependency (Kafka, Redis, history) is out of reach
    │   ├── Fenced          somebody newer owns this partition; stop, or wait to be assigned again
    │   └── Lost            Redis has forgotten the workspace; rebuild it from the log first
    ├── Rejected            can never succeed: a record goes to the dead-letter topic
    ├── Conflict            the present state refuses it; look at the state, then decide anew
    └── Fatal               this process cannot go on; end it and let it be started again

HTTP status codes are mapped from these in one place, :mod:`rondo_common.problems`.
"""

from __future__ import annotations


class RondoError(Exception):
    """Every error Rondo raises on purpose. Catch one of its kinds instead."""


class Retryable(RondoError):
    """Nothing is lost: do the same again after a while."""


class Unavailable(Retryable):
    """A dependency does not answer. Check that it runs and can be reached; Rondo goes on by itself."""

    def __init__(self, dependency: str, reason: object) -> None:
        super().__init__(f"{dependency} is out of reach: {reason}")
        self.dependency = dependency


class Fenced(Retryable):
    """Redis has seen a newer owner of this partition: nothing was changed; drop the work."""


class Lost(Retryable):
    """Redis does not know this workspace (any more): nothing was changed. Its owner rebuilds it."""


class Rejected(RondoError):
    """This record can never succeed. It belongs on the dead-letter topic, with this reason.

    ``index`` is the record's place in the batch that was handed over, counted from 0.
    """

    def __init__(self, reason: str, index: int = 0) -> None:
        super().__init__(reason)
        self.index = index


class Conflict(RondoError):
    """The present state refuses this. Read the state again before deciding what to do.

    ``code`` is stable and names the refusal: it ends the problem's ``type`` URN.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Fatal(RondoError):
    """This process cannot go on. End it; whoever started it starts it again."""

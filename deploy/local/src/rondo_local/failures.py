"""What can go wrong with the local stack. Every text is one line that ends with the remedy.

LocalFailure
├── PortTaken             another program listens there
├── PortMoved             a port or key was changed while the stack runs
├── BrokersFixed          another number of Kafka nodes than the stack was made with
├── DiskFull              not enough room under the stack's directory
├── RegistryUnreachable   the Kafka jars cannot be downloaded
├── JarMismatch           a jar is not the one whose sum is committed
├── CannotRun             this machine, or this user, cannot run a server
├── StepFailed            a command that prepares something failed
├── DiedAtStart           a process ended before it was ready
├── NotReady              a process runs, but was not ready by its deadline
├── StateUnreadable       state.json is damaged
├── WorkspaceUnusable     the demo workspace can be neither created nor used
├── DemoFailed            the demo's conversation did not come to its end
└── Busy                  another `up` or `down` does not come to an end
"""

from __future__ import annotations

import errno


class LocalFailure(Exception):
    """The stack cannot do what was asked: show the text, which says what to do, and exit 1."""


class PortTaken(LocalFailure):
    """Free the port, or choose another through the variable the text names."""


class PortMoved(LocalFailure):
    """Run `make down` first: what runs still uses the earlier value."""


class BrokersFixed(LocalFailure):
    """Go on with the number the stack has, or delete its data first."""


class DiskFull(LocalFailure):
    """Free some space, or put the stack's directory on another disk."""


class RegistryUnreachable(LocalFailure):
    """Check the network, then run the same command again: finished downloads are kept."""


class JarMismatch(LocalFailure):
    """Do not trust the network path: try another, or compare with the committed lock file."""


class CannotRun(LocalFailure):
    """Run as another user, or on another kind of machine, as the text says."""


class StepFailed(LocalFailure):
    """Read the log that the text names."""


class DiedAtStart(LocalFailure):
    """Read the log that the text names; its last line is in the text."""


class NotReady(LocalFailure):
    """Read the log that the text names; a slow machine may just need a second `make up`."""


class StateUnreadable(LocalFailure):
    """Run `make clean`, which starts afresh."""


class WorkspaceUnusable(LocalFailure):
    """Do what the text says; nothing else of the stack is wrong."""


class DemoFailed(LocalFailure):
    """Read what the text says Rondo answered; the stack stays up for a look."""


class Busy(LocalFailure):
    """Wait for the other command, or end it."""


def explained(error: OSError) -> LocalFailure:
    """The failure that an operating system error amounts to, as one line with a remedy."""
    where = f" at {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"the disk is full{where}: free some space, then run the same command again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CannotRun(f"not permitted{where} ({error.strerror}): check who owns it")
    return CannotRun(f"{error.strerror or error}{where}: check that path, then run it again")

"""What goes wrong in a command, told in one line.

::

    CommandFailed       exit status 1: it was tried and did not work; the text says what to do
    └── WrongUse        exit status 2: nothing was tried; the command or its surroundings are not right
"""

from __future__ import annotations


class CommandFailed(Exception):
    """The command did not work. Its text is shown to a person: say what to do."""

    exit_status = 1


class WrongUse(CommandFailed):
    """The command cannot be carried out as it was given. Correct it and repeat."""

    exit_status = 2

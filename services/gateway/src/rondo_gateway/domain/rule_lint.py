"""The rule linter: what in a workspace's routing cannot work as its author must have meant it.

A finding is never false: where something cannot be told, nothing is said. A rule may thus be shadowed
by several earlier ones together, which is not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rondo_common.directory.entries import RuleEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_gateway.domain.condition_analysis import Analysis, Certainty, Work, WorkExceeded
from rondo_gateway.domain.coverage import uncovered_hours
from rondo_gateway.domain.findings import WORKSPACE, Finding, Flaw, enumerated
from rondo_gateway.domain.reachability import Reachability

STEPS_MAX = 2_000_000
"""To compare all rules with each other."""
SPANS_SHOWN_MAX = 50

_RULE_INSTEAD = "visitors who meet it go on to the next rule they meet, or to any agent"
_TEAM_INSTEAD = "visitors who ask for it go to any agent"


def lint(directory: WorkspaceDirectory, now: datetime) -> Iterator[list[Finding]]:
    """Everything that is wrong at ``now``, in parts between which others may be served.

    The directory may change meanwhile: each part is true of what it was when the part was made.
    """
    reachability = Reachability(directory)
    rules = sorted((each.entry for each in directory.rules.values()), key=_order)
    yield from _rule_findings(rules, reachability)
    for team in sorted((each.entry for each in directory.teams.values()), key=lambda each: each.id):
        yield _listed(reachability.finding(f"team/{team.id}", team.agent_ids, _TEAM_INSTEAD))
    yield list(reachability.account_findings())
    yield _listed(_coverage_finding(directory, reachability, now))


def _order(rule: RuleEntry) -> tuple[int, str]:
    """The order in which rules are tried."""
    return rule.priority, rule.id


def _listed(finding: Finding | None) -> list[Finding]:
    return [] if finding is None else [finding]


# --- rules -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """A rule with what is known of its conditions."""

    rule: RuleEntry
    analysis: Analysis
    never_met: Certainty

    @property
    def subject(self) -> str:
        return f"rule/{self.rule.id}"


def _rule_findings(rules: Sequence[RuleEntry], reachability: Reachability) -> Iterator[list[Finding]]:
    earlier: list[_Known] = []
    work = Work(STEPS_MAX)
    for rule in rules:
        analysis = Analysis(rule.conditions)
        known = _Known(rule, analysis, analysis.is_never_met())
        findings = [
            *_listed(_contradiction(known)),
            *_listed(reachability.finding(known.subject, rule.agent_ids, _RULE_INSTEAD)),
        ]
        if rule.enabled and known.never_met is Certainty.UNPROVEN and work.left >= 0:
            try:
                findings += _listed(_shadow(known, earlier, reachability, work))
            except WorkExceeded:
                findings.append(_not_examined(known))
            earlier.append(known)
        yield findings


def _contradiction(known: _Known) -> Finding | None:
    if known.never_met is Certainty.UNPROVEN:
        return None
    attributes = known.analysis.contradictions()
    about = f" What they say of {enumerated(attributes)} contradicts itself." if attributes else ""
    detail = f"No visitor can meet it{_proviso(known.never_met)}.{about} Correct it, or delete it."
    return Finding(subject=known.subject, problem=Flaw.NEVER_MET, detail=detail)


def _shadow(
    known: _Known, earlier: Sequence[_Known], reachability: Reachability, work: Work
) -> Finding | None:
    """Which earlier rule has all of its visitors first. Raises ``WorkExceeded``."""
    for other in earlier:
        certainty = known.analysis.implies(other.analysis, work)
        if certainty is not Certainty.UNPROVEN:
            detail = (
                f"Every visitor who meets it meets {other.subject} (priority {other.rule.priority}) "
                f"first{_proviso(certainty)}. {_use_left(known.rule, other.rule, reachability)} "
                f"Put it before {other.subject}, or narrow that one's conditions."
            )
            return Finding(subject=known.subject, problem=Flaw.SHADOWED, detail=detail)
    return None


def _proviso(certainty: Certainty) -> str:
    if certainty is Certainty.PROVEN:
        return ""
    return ", as long as what is compared with a number is a number"


def _use_left(rule: RuleEntry, other: RuleEntry, reachability: Reachability) -> str:
    """Whether the agents of a rule whose visitors another has first could still be rung by it."""
    own, others = reachability.of(rule.agent_ids), reachability.of(other.agent_ids)
    if not own:
        return "None of its own agents can be rung either."
    if not others:
        return "None of that rule's agents can be rung, so its own still are."
    if own <= others:
        return "All of its agents who can be rung are in that rule too, so it changes nothing."
    return "Its own agents are rung only while none of that rule's can take the chat."


def _not_examined(known: _Known) -> Finding:
    detail = (
        "There are too many rules, or too large ones, to compare all of them with each other: whether "
        f"{known.subject} and those after it are shadowed was not looked at. Join rules that differ in "
        "one value only into one with the operator 'in'."
    )
    return Finding(subject=WORKSPACE, problem=Flaw.NOT_EXAMINED, detail=detail)


# --- hours -------------------------------------------------------------------------------------


def _coverage_finding(
    directory: WorkspaceDirectory, reachability: Reachability, now: datetime
) -> Finding | None:
    time_zone = "UTC" if directory.workspace is None else directory.workspace.settings.time_zone
    spans = uncovered_hours(reachability.chatting(), time_zone, now)
    if spans == []:
        return None
    shown = "at all" if spans is None else f"at these times: {enumerated(spans, SPANS_SHOWN_MAX)}"
    detail = f"In the coming 7 days (clocks of {time_zone}) no agent is available by schedule {shown}."
    return Finding(subject=WORKSPACE, problem=Flaw.HOURS_NOT_COVERED, detail=detail)

"""Run all checks, repair what can be repaired, and report the results as text."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from appliance.health import (
    archive,
    catalogue,
    certificates,
    directory,
    folders,
    machine,
    program,
    provider,
    service,
    units,
    work,
)
from appliance.health.base import CHECKS, Finding, Level, NamedCheck, Premises
from appliance.model.messages import Message

#: In the order in which somebody would look: the ground first, then what stands on it.
MODULES = (folders, machine, program, units, service, certificates, catalogue, archive, directory, provider, work)


@dataclass(frozen=True)
class Report:
    """All findings and what was repaired on the way."""

    findings: tuple[Finding, ...]
    repaired: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """No problem is left."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)


def checks() -> list[NamedCheck]:
    """Every check, in the order of `MODULES`."""
    order = [module.__name__ for module in MODULES]
    return sorted(CHECKS, key=lambda named: order.index(named.run.__module__))


def examine(premises: Premises, *, repair: bool = False, only: Collection[str] = ()) -> Report:
    """Look at everything, or at the checks named in `only`.

    :param repair: run the repairs that checks offer. They create folders, restrict modes, move files to quarantine; none deletes.
    """
    findings: list[Finding] = []
    repaired: list[str] = []
    for named in checks():
        if only and named.name not in only:
            continue
        for finding in named.findings(premises):
            if repair and finding.repair is not None:
                try:
                    done = finding.repair()
                except OSError as error:
                    findings.append(
                        replace(
                            finding,
                            detail=Message(
                                "%(detail)s; the repair failed: %(error)s", detail=finding.detail, error=error
                            ),
                        )
                    )
                    continue
                repaired.append(f"{finding.check}: {done}")
                findings.append(
                    replace(
                        finding,
                        level=Level.OK,
                        detail=Message("%(detail)s; repaired: %(done)s", detail=finding.detail, done=done),
                        why="",
                        fix="",
                        repair=None,
                    )
                )
            else:
                findings.append(finding)
    return Report(tuple(findings), tuple(repaired))


def as_text(findings: Iterable[Finding]) -> str:
    """The report as a table, with reason and remedy below what needs them."""
    marks = {Level.OK: "ok     ", Level.NOTE: "note   ", Level.WARNING: "WARNING", Level.PROBLEM: "PROBLEM"}
    lines = []
    for finding in findings:
        lines.append(f"{marks[finding.level]}  {finding.check:<18} {finding.detail}")
        if finding.level is not Level.OK:
            lines += [
                f"{'':9}{'':18} {text}" for text in (finding.why, f"→ {finding.fix}" if finding.fix else "") if text
            ]
    return "\n".join(lines)

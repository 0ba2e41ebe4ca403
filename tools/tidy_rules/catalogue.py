"""All rules, and running them."""
from . import confinement, documents, layers, lengths, patterns, texts
from .exceptions import EXCUSES
from .tree import Finding, matches

RULES = (layers.RULES + confinement.RULES + lengths.RULES + patterns.RULES + texts.RULES
         + documents.RULES)


def _excuse(excuses, finding):
    for excuse in excuses:
        if excuse.rule == finding.rule and matches(finding.path, (excuse.path,)):
            return excuse
    return None


def check(tree, excuses=EXCUSES):
    """Findings in order of path and line."""
    findings, used = [], set()
    for rule in RULES:
        for path, line, message in rule.check(tree):
            finding = Finding(path, line, rule.name, message)
            excuse = _excuse(excuses, finding)
            if excuse:
                used.add(excuse)
            else:
                findings.append(finding)
    for excuse in excuses:
        if excuse not in used:
            findings.append(Finding("tools/tidy_rules/exceptions.py", 1, "stale-exception",
                                    f"{excuse.path} keeps {excuse.rule} now; delete the row"))
    return sorted(set(findings))

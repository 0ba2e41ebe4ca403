"""All rules, and running them."""
from . import confinement, documents, layers, lengths, patterns, texts
from .exceptions import EXCUSES
from .tree import Finding, matches

EXCUSES_FILE = "tools/tidy_rules/exceptions.py"
RULES = (layers.RULES + confinement.RULES + lengths.RULES + patterns.RULES + texts.RULES
         + documents.RULES)


def _excuse(excuses, finding):
    for excuse in excuses:
        if excuse.rule == finding.rule and matches(finding.path, (excuse.path,)):
            return excuse
    return None


def check(tree, excuses=None):
    """Findings in order of path and line. Our own excuses are for the tree that holds them."""
    if excuses is None:
        excuses = EXCUSES if tree.exists(EXCUSES_FILE) else ()
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
            findings.append(Finding(EXCUSES_FILE, 1, "stale-exception",
                                    f"{excuse.path} keeps {excuse.rule} now; delete the row"))
    return sorted(set(findings))

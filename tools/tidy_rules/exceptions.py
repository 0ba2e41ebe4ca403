"""Where a rule is broken for a good reason. A row that excuses nothing is a finding itself."""
from typing import NamedTuple


class Excuse(NamedTuple):
    rule: str
    path: str  # glob
    reason: str


EXCUSES = (
)

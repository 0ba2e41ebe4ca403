"""What a rule is: a name, what it demands, and a function that yields (path, line, message)."""
from typing import Callable, NamedTuple


class Rule(NamedTuple):
    name: str
    demand: str
    check: Callable

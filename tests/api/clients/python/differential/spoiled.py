"""Bodies with something wrong or unusual in them, of the kind that both transports can say."""

import copy

NUMBERS = (0, -1, 1, 2, 3, 63, 64, 10**6, 2**40, 0.5, 1.5, -0.25, 1e30, 1e-30)
TEXTS = ("", "nothing", "$score", "$score[1]", "$score[x]", "$rank", "a[", "a[].b", "n", "city", "qdrant/bm25")


def places(of, path=()):
    """Paths to everything within."""
    if path:
        yield path
    if isinstance(of, dict):
        for name, each in of.items():
            yield from places(each, (*path, name))
    elif isinstance(of, list):
        for at, each in enumerate(of):
            yield from places(each, (*path, at))


def instead(value, chance):
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return chance.choice(NUMBERS)
    if isinstance(value, str):
        return chance.choice(TEXTS)
    if isinstance(value, list):
        return chance.choice(([], value[:1], value + value, value[1:]))
    if isinstance(value, dict) and value:
        return {name: each for name, each in value.items() if name != chance.choice(list(value))}
    return None


def spoiled(body, chance):
    """A copy with one or two of its values changed or left out."""
    body = copy.deepcopy(body)
    for _ in range(chance.choice((1, 1, 2))):
        path = chance.choice(list(places(body)) or [None])
        if path is None:
            return body
        of = body
        for step in path[:-1]:
            of = of[step]
        if isinstance(of, dict) and chance.randrange(4) == 0:
            del of[path[-1]]
        else:
            of[path[-1]] = instead(of[path[-1]], chance)
    return body

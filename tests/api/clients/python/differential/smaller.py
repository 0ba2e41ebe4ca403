"""Makes what was found small: the points and the request with parts left out, as long as it still differs."""

import json

from worlds import World

TRIES_MAX = 300


def without_one(of):
    """The value with one part left out, or one part in place of it, in every way."""
    if isinstance(of, dict):
        for name in of:
            yield {k: v for k, v in of.items() if k != name}
        for name, value in of.items():
            for less in without_one(value):
                yield {**of, name: less}
    elif isinstance(of, list):
        for at in range(len(of)):
            yield of[:at] + of[at + 1 :]
        for at, value in enumerate(of):
            for less in without_one(value):
                yield of[:at] + [less] + of[at + 1 :]


class Search:
    def __init__(self, connection, world, kind):
        self.connection, self.world, self.kind = connection, world, kind
        self.tries = 0
        self.error = None
        self.indexes = world.indexes

    def differs(self, points, body):
        self.tries += 1
        world = None
        try:
            world = World(self.connection, self.world.schema, points, self.indexes, self.world.beside_of)
            return (world.ask if self.reads() else world.write)(self.kind, body)
        except Exception as error:  # a body that no engine understands
            self.error = error
            return None
        finally:
            if world:
                world.close()

    def reads(self):
        return self.kind in ("query", "scroll", "count", "retrieve", "facet", "groups", "matrix")


def smallest(connection, world, before, kind, body):
    points = world.points() if before is None else before
    search = Search(connection, world, kind)
    first = search.differs(points, body)
    if not first:
        return f"not on the same points anew ({search.error}): {json.dumps(body)}"
    for index in list(search.indexes):
        kept = search.indexes
        search.indexes = [each for each in kept if each != index]
        if kinds(search.differs(points, body)) != kinds(first):
            search.indexes = kept
    half = len(points) // 2
    while half > 0 and search.tries < TRIES_MAX:
        for at in range(0, len(points), half):
            fewer = points[:at] + points[at + half :]
            if kinds(search.differs(fewer, body)) == kinds(first):
                points = fewer
                break
        else:
            half //= 2
    again = True
    while again and search.tries < TRIES_MAX:
        again = False
        for less in without_one(body):
            if search.tries >= TRIES_MAX:
                break
            if kinds(search.differs(points, less)) == kinds(first):
                body, again = less, True
                break
    found = search.differs(points, body)
    return "\n".join(
        [
            f"smallest, with indexes {search.indexes}: {json.dumps(found)}",
            *(json.dumps(point, ensure_ascii=False) for point in points[:6]),
            f"{kind} {json.dumps(body, ensure_ascii=False)}",
        ]
    )


def kinds(found):
    """Which oracles differ, and whether by a refusal."""
    return {name: "the server says" in text for name, text in (found or {}).items()}

"""One collection three times: in the server and in both oracles."""

import json
import marshal
import math
from array import array

from edge import BESIDE, Edge, NotAsked
from local import Local
from queries import OWN
from served import Refused, Served

TEXTS = ("text", "text_any", "phrase")
ALL = {"limit": 10000, "with_payload": True, "with_vector": True}


def close(a, b, within=1.0):
    return a == b or math.isclose(a, b, rel_tol=2e-4 * within, abs_tol=2e-5 * within)


def text_fields(of):
    """The fields whose words a request asks for."""
    if isinstance(of, list):
        return {field for each in of for field in text_fields(each)}
    if isinstance(of, dict):
        found = {field for each in of.values() for field in text_fields(each)}
        if "key" in of and any(name in of.get("match", {}) for name in TEXTS):
            found.add(of["key"])
        return found
    return set()


class World:
    def __init__(self, connection, schema, points, indexes=(), beside=None):
        """`beside`, the schema and points of a second collection, which requests may name."""
        self.schema = schema
        self.beside_of = beside
        self.beside = World(connection, *beside) if beside else None
        self.indexes = list(indexes)
        self.served = Served(connection, schema)
        self.oracles = {"edge": Edge(schema), "local": Local(schema)}
        self.engines = [self.served, *self.oracles.values()]
        if beside:
            for own, other in zip(self.engines, self.beside.engines):
                own.beside = other
                if hasattr(other, "name"):
                    own.names = {BESIDE: other.name, OWN: own.name}
        for first in range(0, len(points), 25):
            for engine in self.engines:
                engine.update("upsert", {"points": points[first : first + 25]})
        for field, kind in self.indexes:
            self.index(field, kind)
        self.known = points  # as they were after the last write
        self.local_is_lost = False  # a write chose its points by tokens, where local mode compares words

    def close(self):
        for engine in self.engines:
            engine.close()
        if self.beside:
            self.beside.close()

    def index(self, field, kind):
        for engine in self.engines:
            engine.index(field, kind)

    def points(self):
        """All, as they would be written."""
        points = self.served.ask("scroll", ALL)["points"]
        for point in points:
            if isinstance(point.get("vector"), list):
                point["vector"] = {"": point["vector"]}
        return points

    def words_are_tokens(self, body):
        indexed = {field for field, kind in self.indexes if kind == "text" or isinstance(kind, dict)}
        return bool(indexed & text_fields(body))

    def ask(self, kind, body):
        """How the server differs from the oracles: {oracle: text}."""
        ours = attempt(lambda: self.served.ask(kind, body))
        found = {}
        for name, oracle in self.oracles.items():
            if name == "local" and (self.local_is_lost or self.words_are_tokens(body)):
                continue
            try:
                theirs = attempt(lambda: getattr(oracle, kind)(body))
            except NotAsked:
                continue
            difference = compare(kind, body, ours, theirs)
            if difference:
                found[name] = difference
        return found

    def write(self, kind, body):
        """Likewise, of all points after a write. One that edge can't carry out is not done."""
        try:
            self.oracles["edge"].prepared(kind, body)
        except NotAsked:
            return {}
        answers = {"served": attempt(lambda: self.served.update(kind, body))}
        self.local_is_lost = self.local_is_lost or self.words_are_tokens(body)
        for name, oracle in self.oracles.items():
            if name == "local" and self.local_is_lost:
                continue
            answers[name] = attempt(lambda: oracle.update(kind, body))
        refused = {name: answer is not None for name, answer in answers.items()}
        found = {}
        for name in answers.keys() - {"served"}:
            if refused[name] != refused["served"]:
                found[name] = f"the server says {answers['served']}, the oracle {answers[name]}"
        found = found or self.ask("scroll", ALL)
        self.known = self.points()
        return found


def attempt(what):
    try:
        return what()
    except NotAsked:
        raise
    except Refused as refused:
        return {"refused": str(refused)}
    except (RuntimeError, AssertionError):
        raise
    except Exception as error:  # the oracles have no class of their own for it
        return {"refused": f"{type(error).__name__}: {error}"}


def same(a, b):
    if marshal.dumps(a, 2) == marshal.dumps(b, 2):  # soon done, and right where keys stand in the same order
        return True
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def same_vector(a, b):
    if a == b:
        return True
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_vector(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return False
        # Mostly the same numbers of single precision, written in other ways.
        if isinstance(a[0], float) and isinstance(b[0], float) and array("f", a) == array("f", b):
            return True
        return all(same_vector(x, y) for x, y in zip(a, b))
    return isinstance(a, (int, float)) and isinstance(b, (int, float)) and close(a, b)


def same_point(ours, theirs):
    if not same(ours.get("payload") or {}, theirs.get("payload") or {}):
        return f"payload {ours.get('payload')} != {theirs.get('payload')}"
    if not same_vector(ours.get("vector") or {}, theirs.get("vector") or {}):
        return f"vector {ours.get('vector')} != {theirs.get('vector')}"
    return None


def by_values(ours, theirs):
    """Two lists in the order of a field: of points with one value chance may take any."""
    if [p.get("order_value") for p in ours] != [p.get("order_value") for p in theirs]:
        shown = [[(p["id"], p.get("order_value")) for p in each] for each in (ours, theirs)]
        return f"order {shown[0]} != {shown[1]}"
    return None


def by_scores(ours, theirs, within):
    """Two lists by score: points may change places, or be left out, only where scores are equal."""
    if len(ours) != len(theirs):
        return f"{len(ours)} points, not {len(theirs)}: {[p['id'] for p in ours]} != {[p['id'] for p in theirs]}"
    scores = {point["id"]: point["score"] for point in theirs}
    for place, (a, b) in enumerate(zip(ours, theirs)):
        if not close(a["score"], b["score"], within):
            return f"place {place}: {a['id']} by {a['score']}, not {b['id']} by {b['score']}"
        if a["id"] == b["id"]:
            difference = same_point(a, b)
            if difference:
                return f"place {place}: {difference}"
        elif a["id"] in scores:
            if not close(scores[a["id"]], a["score"], within):
                return f"place {place}: {a['id']} by {a['score']}, not {scores[a['id']]}"
        elif not any(close(theirs[end]["score"], a["score"], within) for end in (0, -1)):
            return f"place {place}: {a['id']} is not among the oracle's {list(scores)}"
    return None


def by_place(ours, theirs):
    if [p["id"] for p in ours] != [p["id"] for p in theirs]:
        mine, other = {p["id"] for p in ours}, {p["id"] for p in theirs}
        return f"only the server: {sorted(mine - other, key=str)}, only the oracle: {sorted(other - mine, key=str)}"
    for a, b in zip(ours, theirs):
        difference = same_point(a, b)
        if difference:
            return f"point {a['id']}: {difference}"
    return None


def points_differ(kind, body, ours, theirs):
    query = body.get("query")
    if "order_by" in body or isinstance(query, dict) and "order_by" in query:
        return by_values(ours, theirs)
    if kind == "query" and query is not None:
        formula = isinstance(query, dict) and "formula" in query
        return by_scores(ours, theirs, 10.0 if formula else 1.0)
    if kind == "retrieve":
        ours, theirs = (sorted(each, key=lambda p: str(p["id"])) for each in (ours, theirs))
    return by_place(ours, theirs)


def matrices_differ(ours, theirs):
    """Of points that are equally near, chance may take any as the last."""
    scores = [{}, {}]
    for found, pairs in zip(scores, (ours, theirs)):
        for pair in pairs:
            found.setdefault(pair["a"], []).append(pair["score"])
    differing = [
        a
        for a in scores[0].keys() | scores[1].keys()
        if not same_vector(scores[0].get(a, []), scores[1].get(a, []))
    ]
    if differing:
        return f"scores of the nearest to {differing}"
    theirs = {(pair["a"], pair["b"]) for pair in theirs}
    for pair in ours:
        last = scores[1][pair["a"]][-1]
        if (pair["a"], pair["b"]) not in theirs and not close(pair["score"], last):
            return f"{pair} is not among the oracle's"
    return None


def groups_differ(ours, theirs):
    """Groups whose best points are equally good may change places."""
    ids = [[group["id"] for group in each] for each in (ours, theirs)]
    if sorted(ids[0], key=str) != sorted(ids[1], key=str):
        return f"groups {ids[0]} != {ids[1]}"
    by_id = {group["id"]: group["hits"] for group in theirs}
    for mine, other in zip(ours, theirs):
        if not close(mine["hits"][0]["score"], other["hits"][0]["score"]):
            return f"groups {ids[0]} != {ids[1]}"
        difference = by_scores(mine["hits"], by_id[mine["id"]], 1.0)
        if difference:
            return f"group {mine['id']}: {difference}"
    return None


def compare(kind, body, ours, theirs):
    if "refused" in ours or "refused" in theirs:
        if "refused" in ours and "refused" in theirs:
            return None
        shown = [each.get("refused", "an answer") for each in (ours, theirs)]
        return f"the server says {shown[0]}, the oracle {shown[1]}"
    if kind == "matrix":
        return matrices_differ(*(each["pairs"] for each in (ours, theirs)))
    if kind == "groups":
        return groups_differ(ours["groups"], theirs["groups"])
    if "points" in ours:
        difference = points_differ(kind, body, ours["points"], theirs["points"])
        if not difference and ours.get("next_page_offset") != theirs.get("next_page_offset"):
            return f"next page {ours.get('next_page_offset')} != {theirs.get('next_page_offset')}"
        return difference
    return None if same(ours, theirs) else f"{ours} != {theirs}"

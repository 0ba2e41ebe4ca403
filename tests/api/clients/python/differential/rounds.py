"""What is asked in a round: two collections of random points, and requests of every kind about them."""

import filters
import queries
from qdrant_client import models
from queries import wire

WILD = {
    "vectors": {"": {"size": 2, "distance": "Dot"}, "v": {"size": 2, "distance": "Cosine"}},
}


def schema_of(dense):
    """Dense vectors beside sparse ones and those of several rows."""
    made = {name: {"size": size, "distance": metric.value} for name, (size, metric) in dense.items()}
    for name, (size, metric) in queries.MULTI.items():
        made[name] = {
            "size": size,
            "distance": metric.value,
            "multivector_config": {"comparator": "max_sim"},
        }
    sparse = {
        name: {"modifier": "idf"} if modifier == models.Modifier.IDF else {}
        for name, modifier in queries.SPARSE.items()
    }
    return {"vectors": made, "sparse_vectors": sparse}


NUMBERS = schema_of(queries.VECTORS)
BESIDE = schema_of(queries.BESIDE_VECTORS)
ALL_VECTORS = [*queries.VECTORS, *queries.SPARSE, *queries.MULTI]
SCHEMAS = {
    "u": "integer",
    "n": "integer",
    "city": "keyword",
    "tags": "keyword",
    "yes": "bool",
    "uuid": "uuid",
    "weight": "float",
    "time": "datetime",
}
TEXT_INDEXES = (
    "text",
    "text",
    {"type": "text", "tokenizer": "word", "phrase_matching": True},
    {"type": "text", "tokenizer": "whitespace", "lowercase": False},
    {"type": "text", "tokenizer": "prefix", "min_token_len": 1, "max_token_len": 4},
    {"type": "text", "tokenizer": "word", "ascii_folding": True, "phrase_matching": True, "min_token_len": 2},
)
EDITED = (
    "a",
    "b",
    "o",
    "o[]",
    "o[0]",
    "o[].a",
    "o[1].g",
    "p",
    "p.q",
    "p.q.b",
    "p.q.new",
    "new.deep[].er",
    "t",
    "a[0]",
    "a[]",
)


class Wild:
    """Points with payloads of every shape, filters and edits."""

    schema = WILD

    def __init__(self, seed):
        self.make = filters.Generator(seed)
        self.random = self.make.random
        self.ids = self.make.ids()
        self.initial = [self.point(i) for i in self.ids]
        self.ranks = False  # whether texts have an index to be ranked by

    def vectors(self):
        return {"": [1, 2], **({"v": [3, 4]} if self.make.chance(2) else {})}

    def point(self, i):
        return {"id": i, "vector": self.vectors(), "payload": self.make.payload()}

    def indexes(self):
        """None, or some."""
        if self.make.chance(3):
            return []
        chosen = [
            (f, self.make.pick(kinds)) for f, kinds in filters.INDEXES.items() if f != "t" and not self.make.chance(3)
        ]
        return [*chosen, ("t", self.text_index())]

    def text_index(self):
        of_texts = self.make.pick((*TEXT_INDEXES, "keyword"))
        if of_texts == "keyword" or self.make.chance(4):
            return of_texts
        self.ranks = True
        return {**({"type": "text"} if of_texts == "text" else of_texts), "scoring": True}

    @staticmethod
    def beside():
        """No second collection."""

    def saw(self, points):
        """Nothing is kept in mind."""

    def filter(self):
        return wire(self.make.filter())

    def some_ids(self, most=12):
        return self.random.sample(self.ids, self.random.randrange(1, most))

    def selection(self):
        if self.make.chance(3):
            return {"filter": self.filter()}
        return {"points": self.some_ids()}

    def read(self):
        kind = self.random.randrange(12)
        if kind == 0:
            return "count", {"filter": self.filter(), "exact": True}
        if kind == 1:
            return "retrieve", {
                "ids": self.some_ids(),
                "with_payload": self.selector(),
                "with_vector": self.make.chance(2),
            }
        if kind == 2:
            body = {"limit": self.random.randrange(1, 40), "with_payload": self.selector()}
            if self.make.chance(2):
                body["offset"] = self.make.pick(self.ids)
            if self.make.chance(2):
                body["filter"] = self.filter()
            return "scroll", body
        if kind < 5 and (self.ranks or self.make.chance(8)):
            return "query", self.by_text()
        return "scroll", {"filter": self.filter(), "limit": 1000, "with_payload": False}

    def by_text(self):
        r = self.random
        words = {"query": self.make.text()}
        if self.make.chance(3):
            words["scoring"] = {"bm25": {"k": r.randrange(30) / 10, "b": r.randrange(11) / 10}}
        query = {"text": words["query"] if len(words) == 1 and self.make.chance(2) else words}
        body = {"query": query, "using": "t", "limit": r.randrange(1, 80)}
        if self.make.chance(2):
            body["filter"] = self.filter()
        if self.make.chance(4):
            body["offset"] = r.randrange(1, 5)
        if self.make.chance(4):
            body["score_threshold"] = round(r.uniform(0, 2), 3)
        return body

    def selector(self):
        keys = self.random.sample(filters.KEYS, 2)
        return self.make.pick((True, False, keys, {"include": keys}, {"exclude": keys}))

    def edit(self):
        return batch(self.random, self.one_edit) if self.make.chance(6) else self.one_edit()

    def one_edit(self):
        r = self.random
        kind = r.randrange(10)
        if kind < 3:
            body = {"payload": {k: self.make.scalar() for k in r.sample("abx", r.randrange(1, 3))}, **self.selection()}
            if self.make.chance(2):
                body["key"] = self.make.pick(EDITED)
            return "set_payload", body
        if kind == 3:
            return "overwrite_payload", {"payload": self.make.payload(), **self.selection()}
        if kind < 6:
            return "delete_payload", {"keys": r.sample(EDITED, r.randrange(1, 3)), **self.selection()}
        if kind == 6:
            return "clear_payload", {"points": self.some_ids(4)}
        if kind == 7:
            body = {"points": [{"id": i, "vector": {"v": [r.uniform(-1, 1), 1]}} for i in self.some_ids(4)]}
            return "update_vectors", {**body, **({"update_filter": self.filter()} if self.make.chance(2) else {})}
        if kind == 8:
            return "delete_vectors", {"vector": ["v"], **self.selection()}
        return self.replaced()

    def replaced(self):
        if self.make.chance(4):
            return "delete", {"points": self.some_ids()}
        body = {"points": [self.point(i) for i in self.some_ids()]}
        if self.make.chance(2):
            body["update_mode"] = self.make.pick(("upsert", "insert_only", "update_only"))
        if self.make.chance(2):
            body["update_filter"] = self.filter()
        return "upsert", body


def batch(chance, edit):
    """Several edits as one request."""
    edits = [edit() for _ in range(chance.randrange(1, 6))]
    return "batch", {"operations": [{kind: body} for kind, body in edits]}


def renamed(asked):
    """The client's arguments as the body that it sends."""
    names = {"query_filter": "filter", "search_params": "params"}
    return wire({names.get(name, name): each for name, each in asked.items()})


class Numbers:
    """Points with vectors of every metric, and every kind of query."""

    schema = NUMBERS

    def __init__(self, seed):
        self.make = queries.Generator(seed)
        self.random = self.make.random
        self.initial = [self.make.point(i) for i in range(queries.POINTS)]
        self.ids = list(range(queries.POINTS))

    @staticmethod
    def indexes():
        return list(SCHEMAS.items())

    def beside(self):
        return BESIDE, self.make.beside()

    def saw(self, points):
        """Which points have which vectors, for those that queries name."""
        having = {}
        for point in points:
            for name in point["vector"]:
                having.setdefault(name, []).append(point["id"])
        if all(having.get(name) for name in ALL_VECTORS):
            self.make.having = having

    def read(self):
        r = self.random
        kind = r.randrange(24)
        if kind < 10:
            return "query", renamed(self.make.query())
        if kind < 14:
            return "query", renamed(self.make.sparse())
        if kind < 18:
            return "query", renamed(self.make.formula())
        if kind < 20:
            return "groups", self.groups()
        if kind < 22:
            asked = {"key": r.choice(["city", "n", "tags", "yes", "uuid"]), "limit": r.randrange(1, 12), "exact": True}
            return "facet", wire({**asked, "filter": self.make.filter()})
        if kind == 22:
            order = self.make.order(r.choice(queries.ORDERED)).order_by
            return "scroll", wire({"order_by": order, "filter": self.make.filter(), "limit": r.randrange(1, 60)})
        if self.make.chance(3):
            # All points that have the vector, so that chance chooses nothing.
            return "matrix", {"sample": 1000, "limit": 4, "using": r.choice([*queries.VECTORS, *queries.MULTI])}
        return "count", wire({"filter": self.make.filter(), "exact": True})

    def groups(self):
        # Which of equally good groups come last is chance.
        name = self.random.choice([n for n in (*queries.VECTORS, *queries.MULTI) if n != queries.MANY_TIES])
        return wire(
            {
                "query": self.make.input(name),
                "using": name,
                "filter": self.make.filter(),
                "group_by": self.random.choice(["city", "n", "tags"]),
                "limit": self.random.randrange(1, 8),
                "group_size": self.random.randrange(1, 5),
                "with_payload": ["city"],
            }
        )

    def edit(self):
        return batch(self.random, self.one_edit) if self.make.chance(4) else self.one_edit()

    def one_edit(self):
        r = self.random
        kind = r.randrange(5)
        ids = r.sample(self.ids, r.randrange(1, 5))
        if kind == 0:
            return "delete", {"points": ids}
        if kind == 1:
            return "upsert", {"points": [self.make.point(i) for i in ids]}
        if kind == 2:
            return "delete_vectors", {"vector": r.sample(ALL_VECTORS, r.randrange(1, 3)), "points": ids}
        name = r.choice(ALL_VECTORS)
        if kind == 3:
            return "update_vectors", {
                "points": [{"id": i, "vector": {name: wire(self.make.vector(name))}} for i in ids]
            }
        return "set_payload", {"payload": {"n": r.randrange(20), "city": r.choice(queries.CITIES)}, "points": ids}

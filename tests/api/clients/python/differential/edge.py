"""The dialect's own engine, PyPI `qdrant-edge-py`, in this process, spoken to in the words of the REST API.

It is one shard: what a collection adds, ids in place of vectors, groups and matrices, is no part of it. Ids are
resolved here as a collection does; what is left raises NotAsked, and docs/api/differential.md lists it.
"""

import json
import shutil
import tempfile
import uuid

import qdrant_edge as edge

METRICS = {"Cosine": "Cosine", "Dot": "Dot", "Euclid": "Euclid", "Manhattan": "Manhattan"}
SEVERAL = ("n", "weight", "time")  # fields of which points may have several values
BESIDE = "@beside"  # the name of the second collection in requests
FOLDER = "/dev/shm" if shutil.os.path.isdir("/dev/shm") else None


class NotAsked(Exception):
    """Nothing that this oracle can be asked."""


def listed(value):
    return value if isinstance(value, list) else [value]


def point_id(value):
    return value if isinstance(value, int) else uuid.UUID(value)


def plain_id(value):
    return value if isinstance(value, int) else str(value)


def vector(value):
    if isinstance(value, dict):
        if set(value) == {"indices", "values"}:
            return edge.SparseVector(value["indices"], [float(v) for v in value["values"]])
        return {name: vector(each) for name, each in value.items()}
    if value and isinstance(value[0], list):
        return [[float(v) for v in row] for row in value]
    return [float(v) for v in value]


def plain_vector(value):
    if isinstance(value, edge.SparseVector):
        return {"indices": value.indices, "values": value.values}
    if isinstance(value, dict):
        return {name: plain_vector(each) for name, each in value.items()}
    return value


# Filters


def match(of):
    (name, value), *_ = of.items()
    if isinstance(value, bool):
        raise NotAsked("booleans: the binding takes them for the numbers 0 and 1")
    made = {
        "value": edge.MatchValue,
        "text": edge.MatchText,
        "text_any": edge.MatchTextAny,
        "phrase": edge.MatchPhrase,
        "prefix": edge.MatchPrefix,
        "substring": edge.MatchSubstring,
        "any": edge.MatchAny,
        "except": edge.MatchExcept,
    }
    return made[name](value)


def bounds(of):
    if any(isinstance(value, str) for value in of.values()):
        return edge.RangeDateTime(**of)
    return edge.RangeFloat(**{name: float(value) for name, value in of.items()})


def place(of):
    return edge.GeoPoint(lon=of["lon"], lat=of["lat"])


def ring(of):
    return [place(each) for each in of["points"]]


PREDICATES = {
    "match": match,
    "range": bounds,
    "geo_bounding_box": lambda v: edge.GeoBoundingBox(place(v["top_left"]), place(v["bottom_right"])),
    "geo_radius": lambda v: edge.GeoRadius(place(v["center"]), v["radius"]),
    "geo_polygon": lambda v: edge.GeoPolygon(ring(v["exterior"]), [ring(each) for each in v.get("interiors") or []]),
    "values_count": lambda v: edge.ValuesCount(**v),
    "is_empty": bool,
    "is_null": bool,
}


def condition(of):
    if "key" in of:
        if (of.get("is_null") is False or "is_empty" in of) and "[]" in of["key"]:
            raise NotAsked(
                "fields of several values that are empty or not null: any of them is enough, or with an index all"
            )
        return edge.FieldCondition(of["key"], **{name: PREDICATES[name](v) for name, v in of.items() if name != "key"})
    if "is_empty" in of:
        return edge.IsEmptyCondition(of["is_empty"]["key"])
    if "is_null" in of:
        return edge.IsNullCondition(of["is_null"]["key"])
    if "has_id" in of:
        return edge.HasIdCondition({point_id(each) for each in of["has_id"]})
    if "has_vector" in of:
        return edge.HasVectorCondition(of["has_vector"])
    if "nested" in of:
        return edge.NestedCondition(of["nested"]["key"], condition_filter(of["nested"]["filter"]))
    if "slice" in of:
        raise NotAsked("slices")
    return condition_filter(of)


def condition_filter(of):
    if of is None:
        return None
    made = {
        name: [condition(each) for each in listed(of[name])] for name in ("must", "should", "must_not") if name in of
    }
    if "min_should" in of:
        if not of["min_should"]["conditions"]:
            raise NotAsked("a min_should without conditions: met beside other clauses, not by itself")
        conditions = [condition(each) for each in of["min_should"]["conditions"]]
        made["min_should"] = edge.MinShould(conditions, of["min_should"]["min_count"])
    return edge.Filter(**made)


# Expressions


def decay(kind):
    def made(of):
        target = expression(of["target"]) if "target" in of else None
        return edge.Expression.Decay(kind, expression(of["x"]), target, of.get("midpoint"), of.get("scale"))

    return made


EXPRESSIONS = {
    "sum": lambda v: edge.Expression.Sum([expression(each) for each in v]),
    "mult": lambda v: edge.Expression.Mult([expression(each) for each in v]),
    "max": lambda v: edge.Expression.Max([expression(each) for each in v]),
    "min": lambda v: edge.Expression.Min([expression(each) for each in v]),
    "neg": lambda v: edge.Expression.Neg(expression(v)),
    "abs": lambda v: edge.Expression.Abs(expression(v)),
    "sqrt": lambda v: edge.Expression.Sqrt(expression(v)),
    "exp": lambda v: edge.Expression.Exp(expression(v)),
    "ln": lambda v: edge.Expression.Ln(expression(v)),
    "log10": lambda v: edge.Expression.Log10(expression(v)),
    "acosh": lambda v: edge.Expression.Acosh(expression(v)),
    "pow": lambda v: edge.Expression.Pow(expression(v["base"]), expression(v["exponent"])),
    "div": lambda v: edge.Expression.Div(expression(v["left"]), expression(v["right"]), v.get("by_zero_default")),
    "datetime": edge.Expression.Datetime,
    "datetime_key": edge.Expression.DatetimeKey,
    "geo_distance": lambda v: edge.Expression.GeoDistance(place(v["origin"]), v["to"]),
    "lin_decay": decay(edge.DecayKind.Lin),
    "exp_decay": decay(edge.DecayKind.Exp),
    "gauss_decay": decay(edge.DecayKind.Gauss),
}


def expression(of):
    if isinstance(of, (int, float)):
        return edge.Expression.Constant(float(of))
    if isinstance(of, str):
        if of in SEVERAL:
            raise NotAsked("a formula over several values: with an index the first counts, without it is an error")
        return edge.Expression.Variable(of)
    (name, value), *others = of.items()
    if not others and name in EXPRESSIONS:
        return EXPRESSIONS[name](value)
    return edge.Expression.Condition(condition(of))


def order_by(of):
    if isinstance(of, str):
        of = {"key": of}
    if of["key"] in SEVERAL:
        raise NotAsked("the order of several values a point: all count against the limit, one is shown")
    direction = {"asc": edge.Direction.Asc, "desc": edge.Direction.Desc}.get(of.get("direction"))
    return edge.OrderBy(of["key"], direction, of.get("start_from"))


def selector(of):
    if isinstance(of, dict):
        made = edge.PayloadSelector
        return made.Include(of["include"]) if "include" in of else made.Exclude(of["exclude"])
    return of


class Edge:
    def __init__(self, schema):
        self.folder = tempfile.mkdtemp(prefix="akidb-edge-", dir=FOLDER)
        self.changed = False
        self.cleared = False
        self.dropped = set()  # sparse vectors that points have lost
        self.lookup = None  # where the inputs of the query at hand come from
        self.names = {}
        self.beside = None
        self.seen = set()
        self.asked = None
        self.named = set()  # ids that stood for vectors in the request
        dense = {}
        for name, of in schema["vectors"].items():
            multi = None
            if "multivector_config" in of:
                multi = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
            metric = getattr(edge.Distance, METRICS[of["distance"]])
            dense[name] = edge.EdgeVectorParams(of["size"], metric, multivector_config=multi)
        sparse = {
            name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if of.get("modifier") == "idf" else None)
            for name, of in schema.get("sparse_vectors", {}).items()
        }
        self.sparse = set(schema.get("sparse_vectors", {}))
        self.rarities = {name for name, of in schema.get("sparse_vectors", {}).items() if of.get("modifier") == "idf"}
        config = edge.EdgeConfig(dense, sparse, max_search_threads=1, wal_enabled=False)
        self.shard = edge.EdgeShard.create(self.folder, config)

    def close(self):
        self.shard.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Writes

    def index(self, field, schema):
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind != "text" and not self.rarities:
            return  # an index sees values of its own type only, and so filters find less than without
        made = getattr(edge.PayloadSchemaType, kind.capitalize())
        if kind == "text":
            options = {} if isinstance(schema, str) else schema
            names = ("lowercase", "ascii_folding", "min_token_len", "max_token_len")
            made = edge.TextIndexParams(
                tokenizer=getattr(edge.TokenizerType, options.get("tokenizer", "word").capitalize()),
                phrase_matching=True,  # without it no phrase is found
                scoring=options.get("scoring"),
                **{name: options[name] for name in names if name in options},
            )
        self.shard.update(edge.UpdateOperation.create_field_index(field, made))

    def prepared(self, kind, body):
        """NotAsked, if this can't be asked."""
        return list(getattr(self, "_" + kind)(body))

    def update(self, kind, body):
        if kind == "batch":
            for operation in body["operations"]:
                ((each, of),) = operation.items()
                self.update(each, of)
            return
        self.changed = self.changed or kind != "upsert" or any(p["id"] in self.seen for p in body["points"])
        self.cleared = self.cleared or kind == "clear_payload"
        if kind == "delete_vectors":
            self.dropped |= self.sparse & set(body["vector"])
        if kind == "upsert":
            self.seen.update(p["id"] for p in body["points"])
        for operation in self.prepared(kind, body):
            self.shard.update(operation)

    def _batch(self, body):
        kinds = [kind for operation in body["operations"] for kind in operation]
        if "clear_payload" in kinds and "set_payload" in kinds[kinds.index("clear_payload") :]:
            raise NotAsked("a null set where the payload was cleared: it is kept")
        every = [(kind, of) for operation in body["operations"] for kind, of in operation.items()]
        return [made for kind, of in every for made in self.prepared(kind, of)]

    def _upsert(self, body):
        points = [edge.Point(point_id(p["id"]), vector(p["vector"]), p.get("payload") or {}) for p in body["points"]]
        mode = {"insert_only": edge.UpdateMode.InsertOnly, "update_only": edge.UpdateMode.UpdateOnly}
        # A collection lets the last of several points with one id win; here each is judged for itself.
        for point in points:
            yield edge.UpdateOperation.upsert_points(
                [point], condition_filter(body.get("update_filter")), mode.get(body.get("update_mode"))
            )

    def _by_selection(self, name, body, *arguments):
        make = edge.UpdateOperation
        if "points" in body:
            return [getattr(make, name)([point_id(each) for each in body["points"]], *arguments)]
        return [getattr(make, name + "_by_filter")(condition_filter(body["filter"]), *arguments)]

    def _delete(self, body):
        return self._by_selection("delete_points", body)

    def _set_payload(self, body):
        if self.cleared and "key" not in body and None in body["payload"].values():
            raise NotAsked("a null set where the payload was cleared: it is kept")
        return self._by_selection("set_payload", body, body["payload"], body.get("key"))

    def _overwrite_payload(self, body):
        return self._by_selection("overwrite_payload", body, body["payload"])

    def _delete_payload(self, body):
        return self._by_selection("delete_payload", body, body["keys"])

    def _clear_payload(self, body):
        return self._by_selection("clear_payload", body)

    def _update_vectors(self, body):
        changed = [edge.PointVectors(point_id(p["id"]), vector(p["vector"])) for p in body["points"]]
        return [edge.UpdateOperation.update_vectors(changed, condition_filter(body.get("update_filter")))]

    def _delete_vectors(self, body):
        return self._by_selection("delete_vectors", body, body["vector"])

    # Reads

    def stored(self, of, using):
        """The vector that an input means, an id being the point's own."""
        if self.changed and using in self.rarities:
            raise NotAsked("rarities after changes: they go on counting what was replaced")
        if not isinstance(of, (int, str)):
            return vector(of)
        shard = self.shard
        if self.lookup and self.lookup["collection"] == BESIDE:
            shard, using = self.beside.shard, self.lookup.get("vector") or using
        else:
            self.named.add(of)
        found = shard.retrieve([point_id(of)], False, True)
        value = found[0].vector if found else None
        if isinstance(value, list):
            value = {"": value}
        if not value or using not in value:
            raise NotAsked("an example that lacks the vector")
        return value[using]

    def average(self, of, using):
        def mean(vectors):
            return [sum(column) / len(vectors) for column in zip(*vectors)]

        positive = [self.stored(each, using) for each in of.get("positive") or []]
        negative = [self.stored(each, using) for each in of.get("negative") or []]
        if any(not isinstance(v, list) or isinstance(v[0], list) for v in positive + negative):
            raise NotAsked("averages of sparse vectors and multivectors")
        if not negative:
            return mean(positive)
        return [2 * p - n for p, n in zip(mean(positive), mean(negative))]

    def recommend(self, of, using):
        strategy = of.get("strategy") or "average_vector"
        if strategy == "average_vector":
            return edge.Query.Nearest(self.average(of, using), using)
        made = edge.RecommendQuery(
            [self.stored(each, using) for each in of.get("positive") or []],
            [self.stored(each, using) for each in of.get("negative") or []],
        )
        make = edge.Query.RecommendBestScore if strategy == "best_score" else edge.Query.RecommendSumScores
        return make(made, using)

    def pairs(self, of, using):
        return [
            edge.ContextPair(self.stored(each["positive"], using), self.stored(each["negative"], using))
            for each in listed(of)
        ]

    def feedback(self, of, using):
        items = [edge.FeedbackItem(self.stored(each["example"], using), each["score"]) for each in of["feedback"]]
        naive = edge.NaiveFeedbackStrategy(**of["strategy"]["naive"])
        return edge.Query.FeedbackNaive(edge.FeedbackNaiveQuery(self.stored(of["target"], using), items, naive), using)

    def stage(self, of, limit, inner=False):
        """What a query or prefetch ranks by."""
        self.lookup = of.get("lookup_from")
        return self.scoring(of.get("query"), of.get("using") or "", limit, inner)

    def scoring(self, of, using, limit, inner=False):
        if of is None:
            return None
        if using in self.dropped:
            raise NotAsked("sparse vectors after one was deleted: given anew, it goes on being found by what it was")
        if isinstance(of, dict) and "text" in of:
            words = of["text"] if isinstance(of["text"], dict) else {"query": of["text"]}
            bm25 = words.get("scoring", {}).get("bm25")
            return edge.TextQuery(using, words["query"], edge.Bm25Params(**bm25) if bm25 else None)
        if not isinstance(of, dict) or "indices" in of:
            return edge.Query.Nearest(self.stored(of, using), using)
        if of.get("mmr") is not None:
            if inner:
                raise NotAsked("MMR in a prefetch: all its candidates are taken, by similarity alone")
            if using in self.sparse:
                raise NotAsked("MMR of sparse vectors: an error")
            mmr = of["mmr"]
            diversity = 0.5 if mmr.get("diversity") is None else mmr["diversity"]
            return edge.Mmr(
                self.stored(of["nearest"], using), 1 - diversity, mmr.get("candidates_limit") or limit, using
            )
        if "nearest" in of:
            return edge.Query.Nearest(self.stored(of["nearest"], using), using)
        if "recommend" in of:
            return self.recommend(of["recommend"], using)
        if "discover" in of:
            target = self.stored(of["discover"]["target"], using)
            return edge.Query.Discover(edge.DiscoverQuery(target, self.pairs(of["discover"]["context"], using)), using)
        if "context" in of:
            return edge.Query.Context(edge.ContextQuery(self.pairs(of["context"], using)), using)
        if "relevance_feedback" in of:
            return self.feedback(of["relevance_feedback"], using)
        if "order_by" in of:
            return order_by(of["order_by"])
        if "formula" in of:
            return edge.Formula(expression(of["formula"]), of.get("defaults") or {})
        if "rrf" in of:
            return edge.Fusion.Rrf(of["rrf"].get("k") or 2, of["rrf"].get("weights"))
        if "fusion" in of:
            if of["fusion"] == "rrf":
                return edge.Fusion.Rrf(2)
            if '"order_by"' in json.dumps(self.asked):
                raise NotAsked("DBSF of a list in the order of a field: its answer stays in that order")
            return edge.Fusion.Dbsf()
        raise NotAsked(f"a query of {list(of)}")

    def prefetch(self, of):
        limit = of.get("limit") or 10
        return edge.Prefetch(
            limit,
            self.stage(of, limit, inner=True),
            [self.prefetch(each) for each in listed(of.get("prefetch") or [])],
            self.params(of.get("params")),
            condition_filter(of.get("filter")),
            of.get("score_threshold"),
        )

    def params(self, of):
        idf = (of or {}).get("idf")
        if idf is None:
            return edge.SearchParams(exact=True)
        corpus = condition_filter(idf["corpus"]) if isinstance(idf, dict) else None
        return edge.SearchParams(exact=True, idf=edge.IdfParams(corpus))

    def query(self, body):
        self.named, self.asked = set(), body
        limit = body.get("limit") or 10
        scoring = self.stage(body, limit)
        prefetches = [self.prefetch(each) for each in listed(body.get("prefetch") or [])]
        # A collection leaves out the points that inputs name, of the whole query.
        asked = body.get("filter")
        if self.named:
            others = {"must_not": [{"has_id": sorted(self.named, key=str)}]}
            asked = {"must": [others, asked]} if asked else others
        found = self.shard.query(
            edge.QueryRequest(
                limit,
                body.get("offset") or 0,
                scoring,
                prefetches,
                body.get("with_vector", False),
                selector(body.get("with_payload", False)),
                condition_filter(asked),
                body.get("score_threshold"),
                self.params(body.get("params")),
            )
        )
        points = [self.plain(point) for point in found]
        if not body.get("with_vector"):
            for point in points:
                point.pop("vector", None)  # MMR leaves its own
        return {"points": points}

    @staticmethod
    def plain(point):
        made = {"id": plain_id(point.id)}
        for name in ("score", "order_value"):
            if getattr(point, name, None) is not None:
                made[name] = getattr(point, name)
        if point.payload is not None:
            made["payload"] = point.payload
        if point.vector is not None:
            made["vector"] = plain_vector(point.vector)
        return made

    def scroll(self, body):
        offset = body.get("offset")
        found, after = self.shard.scroll(
            edge.ScrollRequest(
                None if offset is None else point_id(offset),
                body.get("limit", 10),
                condition_filter(body.get("filter")),
                selector(body.get("with_payload", True)),
                body.get("with_vector", False),
                order_by(body["order_by"]) if "order_by" in body else None,
            )
        )
        return {
            "points": [self.plain(p) for p in found],
            "next_page_offset": None if after is None else plain_id(after),
        }

    def count(self, body):
        return {"count": self.shard.count(edge.CountRequest(True, condition_filter(body.get("filter"))))}

    def retrieve(self, body):
        found = self.shard.retrieve(
            [point_id(each) for each in body["ids"]],
            selector(body.get("with_payload", True)),
            body.get("with_vector", False),
        )
        return {"points": [self.plain(point) for point in found]}

    def facet(self, body):
        request = edge.FacetRequest(body["key"], body.get("limit") or 10, True, condition_filter(body.get("filter")))
        hits = [{"value": hit.value, "count": hit.count} for hit in self.shard.facet(request).hits]
        return {"hits": [hit for hit in hits if hit["count"] > 0]}  # those that no point has any more are listed, too

    def groups(self, body):
        raise NotAsked("groups")

    def matrix(self, body):
        raise NotAsked("matrices")

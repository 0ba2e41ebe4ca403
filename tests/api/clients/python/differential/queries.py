"""Random points, and queries of every kind over them."""

import json
import random
import uuid

from qdrant_client import models

POINTS = 60
VECTORS = {
    "cosine": (8, models.Distance.COSINE),
    "dot": (6, models.Distance.DOT),
    "euclid": (5, models.Distance.EUCLID),
    "manhattan": (4, models.Distance.MANHATTAN),
}
SPARSE = {"words": models.Modifier.NONE, "rare": models.Modifier.IDF}
MULTI = {  # of several rows a point, compared by max-sim
    "late": (4, models.Distance.COSINE),
    "rows": (3, models.Distance.EUCLID),
    "lines": (3, models.Distance.MANHATTAN),
    "tokens": (5, models.Distance.DOT),
}
MANY_TIES = "lines"  # sums of the metric of city blocks are often equal
# A second collection, whose points may stand for vectors: one vector of the size of each of the first's.
BESIDE = "@beside"
OWN = "@own"
BESIDE_POINTS = 12
BESIDE_VECTORS = {**VECTORS, "other": VECTORS["cosine"]}
WEIGHTS = (0.513, 1.0, 2.77, 7.3)  # of which no two lists make equal ranks
CONTEXT = 3  # the kind of query whose scores are often equal
MMR = 4
ORDERED = ["u", "n", "weight", "time"]
CITIES = ["Bern", "Oslo", "Lima", "Kyoto", "Accra"]


def wire(value):
    """As it goes over the wire."""
    if isinstance(value, dict):
        return {name: wire(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [wire(each) for each in value]
    if hasattr(value, "model_dump_json"):
        return json.loads(value.model_dump_json(exclude_none=True, by_alias=True))
    return getattr(value, "value", value)


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.having = {}  # ids by vector

    def chance(self, of):
        return self.random.randrange(of) == 0

    def vector(self, name):
        if name in SPARSE:
            indices = self.random.sample(range(40), self.random.randrange(1, 12))
            return models.SparseVector(indices=indices, values=[round(self.random.uniform(0.1, 2), 6) for _ in indices])
        if name in MULTI:
            return [self.row(MULTI[name][0]) for _ in range(self.random.randrange(1, 5))]
        return self.row(BESIDE_VECTORS[name][0])

    def row(self, size):
        return [round(self.random.uniform(-1, 1), 6) for _ in range(size)]

    def beside(self):
        """The points of the second collection: they have all vectors."""
        return [
            {
                "id": i * 5,
                "vector": {name: wire(self.vector(name)) for name in [*BESIDE_VECTORS, *SPARSE, *MULTI]},
                "payload": {"kept": i},
            }
            for i in range(BESIDE_POINTS)
        ]

    def point(self, i):
        payload = {"city": self.random.choice(CITIES), "u": i * 7 % 1009 - 500, "n": self.random.randrange(20)}
        if self.chance(3):
            payload["n"] = [self.random.randrange(20) for _ in range(self.random.randrange(4))]
        if self.chance(5):
            del payload["city"]
        payload["time"] = self.moments()
        payload["weight"] = self.weight()
        if self.chance(3):
            payload["weight"] = [self.weight() for _ in range(self.random.randrange(1, 4))]
        payload["yes"] = [self.chance(2) for _ in range(2)] if self.chance(4) else self.chance(3)
        payload["uuid"] = [self.spelled() for _ in range(2)] if self.chance(4) else self.spelled()
        if self.chance(4):
            payload["tags"] = self.random.sample(["a", "b", "c", "d"], self.random.randrange(1, 4))
        vectors = {name: self.vector(name) for name in [*VECTORS, *SPARSE, *MULTI] if not self.chance(8)}
        for name in vectors:
            self.having.setdefault(name, []).append(i)
        return {"id": i, "vector": {name: wire(each) for name, each in vectors.items()}, "payload": payload}

    def weight(self):
        """Some are equal, integers and zeros of both signs among them."""
        return self.random.choice([0.0, -0.0, 3, 3.0, -7, 2.5, round(self.random.uniform(-50, 50), 3)])

    def moments(self):
        if self.chance(4):
            return [self.moment() for _ in range(self.random.randrange(3))]
        return self.moment()

    def moment(self):
        """In one of the spellings; some are equal."""
        day = f"20{self.random.randrange(18, 22)}-{self.random.randrange(1, 13):02}-{self.random.randrange(1, 29):02}"
        if self.chance(3):
            return day
        time = f"{self.random.randrange(24):02}:{self.random.randrange(60):02}:{self.random.randrange(60):02}"
        part = self.random.choice(["", ".5", f".{self.random.randrange(10**6):06}"])
        return f"{day}T{time}{part}{self.random.choice(['Z', '+02:00', '-11:30'])}"

    def spelled(self):
        text = str(uuid.UUID(int=self.random.randrange(9) << 90 | 7))
        return self.random.choice([text, text.upper(), text.replace("-", ""), "urn:uuid:" + text])

    def outer_filter(self):
        return self.filter(("must", "must_not"))

    def condition(self):
        kind = self.random.randrange(4)
        if kind == 0:
            return models.FieldCondition(key="city", match=models.MatchValue(value=self.random.choice(CITIES)))
        if kind == 1:
            low = self.random.randrange(-500, 500)
            return models.FieldCondition(key="u", range=models.Range(gte=low, lt=low + self.random.randrange(50, 900)))
        if kind == 2:
            return models.FieldCondition(key="tags", match=models.MatchAny(any=self.random.sample(["a", "b", "x"], 2)))
        return models.HasIdCondition(has_id=self.random.sample(range(POINTS), self.random.randrange(1, POINTS // 2)))

    def filter(self, clauses=("must", "should", "must_not")):
        if self.chance(2):
            return None
        made = {}
        for clause in clauses:
            if self.chance(2):
                made[clause] = [self.condition() for _ in range(self.random.randrange(1, 3))]
        return models.Filter(**made)

    def input(self, name):
        return self.random.choice(self.having[name]) if self.chance(2) else self.vector(name)

    def inputs(self, name, least=0):
        return [self.input(name) for _ in range(self.random.randrange(least, 4))]

    def pairs(self, name):
        # Two distinct points each: which of two equal scores is larger is chance in the oracle.
        pairs = [(self.input(name), self.input(name)) for _ in range(self.random.randrange(1, 4))]
        return [models.ContextPair(positive=a, negative=b if b != a else self.vector(name)) for a, b in pairs]

    def vector_query(self, name, ties=True):
        kinds = [k for k in range(8) if ties or k != CONTEXT]
        if name == MANY_TIES:
            kinds.remove(MMR)  # which of equally near points are among its candidates is chance
        kind = self.random.choice(kinds)
        if kind == 0:
            positive = self.inputs(name, 1)
            # What is both makes all sums equal, but for rounding.
            negative = [each for each in self.inputs(name) if each not in positive]
            strategy = self.strategy()
            if name == "manhattan" and strategy == models.RecommendStrategy.SUM_SCORES:
                # Between two examples, or beyond them, a coordinate's sum is the same for all points.
                positive, negative = positive[:1], []
            return models.RecommendQuery(
                recommend=models.RecommendInput(positive=positive, negative=negative, strategy=strategy)
            )
        if kind == 1:
            strategy = self.random.choice([models.RecommendStrategy.BEST_SCORE, models.RecommendStrategy.SUM_SCORES])
            negative = self.inputs(name, 1)
            if name == "manhattan" and strategy == models.RecommendStrategy.SUM_SCORES:
                negative = negative[:1]
            return models.RecommendQuery(recommend=models.RecommendInput(negative=negative, strategy=strategy))
        if kind == 2:
            return models.DiscoverQuery(
                discover=models.DiscoverInput(target=self.input(name), context=self.pairs(name))
            )
        if kind == CONTEXT:
            return models.ContextQuery(context=self.pairs(name))
        if kind == MMR:
            # With 1 all candidates unlike those that were picked are as good.
            diversity = min(round(self.random.random(), 3), 0.999)
            mmr = models.Mmr(diversity=diversity, candidates_limit=self.random.randrange(5, 40))
            return models.NearestQuery(nearest=self.input(name), mmr=mmr)
        if kind == 5:
            feedback = [models.FeedbackItem(example=v, score=round(self.random.random(), 3)) for v in self.inputs(name)]
            a, b, c = (round(self.random.random(), 3) for _ in range(3))
            # With weights of 0 all points are as good.
            naive = models.NaiveFeedbackStrategyParams(a=max(a, 0.001), b=b * 2, c=c)
            return models.RelevanceFeedbackQuery(
                relevance_feedback=models.RelevanceFeedbackInput(
                    target=self.input(name), feedback=feedback, strategy=models.NaiveFeedbackStrategy(naive=naive)
                )
            )
        return self.input(name)

    def strategy(self):
        return self.random.choice(list(models.RecommendStrategy) + [None])

    def order(self, key):
        start = {
            "u": lambda: self.random.randrange(-400, 400),
            "n": lambda: self.random.randrange(20),
            "weight": lambda: self.random.choice([self.weight(), self.random.randrange(-40, 40)]),
            "time": lambda: self.random.choice([self.moment(), self.random.randrange(1514764800, 1640995200) * 10**6]),
        }[key]()
        return models.OrderByQuery(
            order_by=models.OrderBy(
                key=key,
                direction=self.random.choice([None, models.Direction.ASC, models.Direction.DESC]),
                start_from=start if self.chance(2) else None,
            )
        )

    def fusion(self, prefetches):
        if self.chance(2):
            return models.FusionQuery(fusion=models.Fusion.RRF)
        weights = [self.random.choice([0.5, 1.0, 3.0]) for _ in range(prefetches)]
        return models.RrfQuery(rrf=models.Rrf(k=self.random.randrange(1, 70), weights=weights))

    def weighted(self, depth):
        """A fusion whose ranks are never equal, so that its list may be cut off, and what it fuses."""
        inner = [self.prefetch(depth, ties=False) for _ in range(self.random.randrange(1, 4))]
        weights = self.random.sample(WEIGHTS, len(inner))
        return models.RrfQuery(rrf=models.Rrf(k=self.random.choice([None, 1, 2, 60]), weights=weights)), inner

    def lookup(self, name):
        """Where a vector's points are taken from, if elsewhere."""
        if not self.chance(4):
            return None
        if self.chance(3):
            return models.LookupLocation(collection=OWN)
        vector = "other" if name == "cosine" else self.random.choice([name, None])
        return models.LookupLocation(collection=BESIDE, vector=vector)

    def elsewhere(self, name, ties=True):
        """A query by vectors, and the collection that its points are of."""
        lookup = self.lookup(name)
        if lookup is None or lookup.collection == OWN:
            return self.vector_query(name, ties), lookup
        having, self.having = self.having, {name: [i * 5 for i in range(BESIDE_POINTS)]}
        try:
            return self.vector_query(name, ties), lookup
        finally:
            self.having = having

    def threshold(self, name, query):
        """Often one that cuts something off."""
        if not self.chance(4) or isinstance(query, models.ContextQuery):
            return None
        if isinstance(query, models.NearestQuery):
            return None
        return round(self.random.uniform(0.2, 2), 3)

    def leaf(self, ties):
        limit = self.random.randrange(1, 40)
        if self.chance(5):
            return models.Prefetch(filter=self.filter(), limit=limit)
        if self.chance(6):
            return models.Prefetch(query=self.order("u"), filter=self.filter(), limit=limit)
        name = self.random.choice([*VECTORS, *MULTI] if self.chance(3) else list(VECTORS))
        if name == MANY_TIES and not ties:
            name = "late"
        query, lookup = self.elsewhere(name, ties)
        if isinstance(query, models.ContextQuery) or name == MANY_TIES:
            limit = POINTS
        return models.Prefetch(
            query=query,
            using=name,
            filter=self.filter(),
            limit=limit,
            score_threshold=self.threshold(name, query),
            lookup_from=lookup,
        )

    def prefetch(self, depth, ties):
        """Without ties: its order is used, so that points with equal scores would be ranked by chance.

        With ties none is cut off.
        """
        if depth == 0 or self.chance(2):
            return self.leaf(ties)
        if ties and self.chance(2):
            query, inner = self.fused(depth - 1)
            return models.Prefetch(prefetch=inner, query=query, limit=POINTS, filter=self.outer_filter())
        if self.chance(3):
            query, inner = self.weighted(depth - 1)
            limit, threshold = self.random.randrange(1, 40), self.fused_threshold()
            return models.Prefetch(
                prefetch=inner, query=query, limit=limit, filter=self.outer_filter(), score_threshold=threshold
            )
        inner = self.prefetches(depth - 1, ties=True)
        name = self.random.choice(list(VECTORS))
        query, lookup = self.elsewhere(name, ties)
        limit = POINTS if isinstance(query, models.ContextQuery) else self.random.randrange(1, 40)
        return models.Prefetch(
            prefetch=inner, query=query, using=name, limit=limit, filter=self.outer_filter(), lookup_from=lookup
        )

    def prefetches(self, depth, ties):
        return [self.prefetch(depth, ties) for _ in range(self.random.randrange(1, 4))]

    def fused_threshold(self):
        return round(self.random.uniform(0.01, 1.2), 4) if self.chance(4) else None

    def fused(self, depth):
        """A fusion and what it fuses."""
        by_scores = self.chance(3)
        inner = self.prefetches(depth, ties=by_scores)
        return models.FusionQuery(fusion=models.Fusion.DBSF) if by_scores else self.fusion(len(inner)), inner

    def variable(self):
        return self.random.choice(
            ["$score", "$score[0]", "$score[1]", "u", "n", "missing", round(self.random.uniform(-3, 3), 3)]
        )

    def expression(self, depth):
        """Mostly finite: where the oracle refuses, so must we."""
        if depth == 0 or self.chance(4):
            return self.variable()

        def inner():
            return self.expression(depth - 1)

        def decay():
            return models.DecayParamsExpression(
                x=inner(),
                target=inner() if self.chance(2) else None,
                scale=round(self.random.uniform(0.5, 50), 3) if self.chance(2) else None,
                midpoint=round(self.random.uniform(0.1, 0.9), 3) if self.chance(2) else None,
            )

        kinds = (
            lambda: models.SumExpression(sum=[inner() for _ in range(self.random.randrange(1, 4))]),
            lambda: models.MultExpression(mult=[inner() for _ in range(self.random.randrange(1, 4))]),
            lambda: models.NegExpression(neg=inner()),
            lambda: models.AbsExpression(abs=inner()),
            lambda: models.SqrtExpression(sqrt=models.AbsExpression(abs=inner())),
            lambda: models.SqrtExpression(sqrt=inner()),
            lambda: models.LnExpression(ln=inner()),
            lambda: models.Log10Expression(log10=models.SumExpression(sum=[1.5, models.AbsExpression(abs=inner())])),
            lambda: models.PowExpression(
                pow=models.PowParams(base=inner(), exponent=self.random.choice([2.0, 0.5, -1.0]))
            ),
            lambda: models.ExpExpression(exp=models.NegExpression(neg=models.AbsExpression(abs=inner()))),
            lambda: models.DivExpression(
                div=models.DivParams(left=inner(), right=inner(), by_zero_default=self.random.choice([None, 2.5, 0.0]))
            ),
            lambda: models.FieldCondition(key="city", match=models.MatchValue(value="Bern")),
            lambda: models.Filter(
                must=[models.FieldCondition(key="u", range=models.Range(lt=self.random.randrange(POINTS)))]
            ),
            lambda: models.LinDecayExpression(lin_decay=decay()),
            lambda: models.ExpDecayExpression(exp_decay=decay()),
            lambda: models.GaussDecayExpression(gauss_decay=decay()),
        )
        return self.random.choice(kinds)()

    def sparse(self):
        """A query by sparse vectors, alone or beside a dense one; its prefetches have no ties."""
        name = self.random.choice(list(SPARSE))
        asked = {"limit": self.random.randrange(1, 25), "query_filter": self.outer_filter(), "with_payload": False}
        if self.chance(3):
            corpus = models.IdfCorpusParams(corpus=self.filter() or models.Filter())
            asked["search_params"] = models.SearchParams(idf=self.random.choice([corpus, models.IdfScope.GLOBAL]))
        if self.chance(2):
            query = self.vector_query(name, ties=False) if self.chance(2) else self.input(name)
            if isinstance(query, models.RelevanceFeedbackQuery):
                query = self.input(name)
            return {**asked, "query": query, "using": name, "offset": self.random.randrange(3)}
        dense = self.random.choice(list(VECTORS))
        asked["prefetch"] = [
            models.Prefetch(query=self.input(each), using=each, filter=self.filter(), limit=limit)
            for each, limit in ((name, self.random.randrange(1, 40)), (dense, self.random.randrange(1, 40)))
        ]
        kind = self.random.randrange(3)
        if kind == 0:
            return {**asked, "query": self.fusion(2)}
        if kind == 1:
            return {**asked, "query": models.FusionQuery(fusion=models.Fusion.DBSF)}
        return {**asked, "query": self.input(name), "using": name}

    def formula(self):
        """A formula over prefetches in which no tie is cut off."""
        defaults = {"missing": 2.0, "n": 1.5, "$score[1]": 0.25}
        if self.chance(3):
            defaults.pop(self.random.choice(list(defaults)))
        return {
            "prefetch": self.prefetches(1, ties=True),
            "query": models.FormulaQuery(formula=self.expression(3), defaults=defaults),
            "limit": POINTS,
            "with_payload": False,
        }

    def query(self):
        asked = {"limit": self.random.randrange(1, 25), "query_filter": self.filter()}
        if self.chance(3):
            asked["offset"] = self.random.randrange(6)
        if self.chance(3):
            asked["with_payload"] = self.random.choice([True, ["city"], models.PayloadSelectorExclude(exclude=["n"])])
        else:
            asked["with_payload"] = False
        kind = self.random.randrange(8)
        if kind == 0:
            asked["query"] = self.order(self.random.choice(ORDERED))
        elif kind == 1:
            asked["query"] = None
        elif kind <= 4:
            name = self.random.choice([*VECTORS, *MULTI])
            query, lookup = self.elsewhere(name)
            asked.update(query=query, using=name, lookup_from=lookup)
            asked["score_threshold"] = self.threshold(name, asked["query"])
        else:
            asked["query_filter"] = self.outer_filter()
            if self.chance(2):
                asked["query"], asked["prefetch"] = self.weighted(2) if self.chance(3) else self.fused(2)
                asked["score_threshold"] = self.fused_threshold()
            else:
                asked["prefetch"] = self.prefetches(2, ties=True)
                name = self.random.choice([*VECTORS, *MULTI])
                query, lookup = self.elsewhere(name)
                asked.update(query=query, using=name, lookup_from=lookup)
                if self.chance(4):
                    asked.update(query=self.order("u"), using=None, lookup_from=None)
        return asked


def named_points(asked, own):
    """The ids among the inputs of this query and its prefetches, as far as they mean points of this collection."""
    if isinstance(asked, dict):
        elsewhere = asked.get("lookup_from") is not None and asked["lookup_from"].collection != own
        keys = ["prefetch"] if elsewhere else ["query", "prefetch"]
        return {i for key in keys if asked.get(key) is not None for i in named_points(asked[key], own)}
    if isinstance(asked, list):
        return {i for item in asked if not isinstance(item, float) for i in named_points(item, own)}
    if isinstance(asked, models.Prefetch):
        return named_points({key: getattr(asked, key) for key in ("query", "prefetch", "lookup_from")}, own)
    if isinstance(
        asked,
        (models.OrderByQuery, models.RrfQuery, models.Mmr, models.NaiveFeedbackStrategy, models.SparseVector),
    ):
        return set()
    if isinstance(asked, int):
        return {asked}
    if hasattr(type(asked), "model_fields"):
        return named_points([getattr(asked, name) for name in type(asked).model_fields], own)
    return set()


def without_points(asked, ids):
    """The same query, whose prefetches leave these out too."""
    without = models.HasIdCondition(has_id=sorted(ids))

    def merged(inner):
        if inner is None:
            return models.Filter(must_not=[without])
        return inner.model_copy(update={"must_not": [without, *(inner.must_not or [])]})

    def changed(prefetch):
        inner = [changed(each) for each in prefetch.prefetch] if prefetch.prefetch else prefetch.prefetch
        return prefetch.model_copy(update={"filter": merged(prefetch.filter), "prefetch": inner})

    prefetch = [changed(each) for each in asked["prefetch"]]
    return {**asked, "query_filter": merged(asked["query_filter"]), "prefetch": prefetch}

"""The official client's local mode, spoken to in the words of the REST API."""

import copy
import warnings

from qdrant_client import QdrantClient, models
from qdrant_client.local import local_collection

from edge import NotAsked
from queries import MULTI, named_points, without_points
from served import resolved


def copied(value):
    """As deepcopy, of payloads many times as fast."""
    if isinstance(value, dict):
        return {name: copied(each) for name, each in value.items()}
    if isinstance(value, list):
        return [copied(each) for each in value]
    return value if isinstance(value, (str, int, float, type(None))) else copy.deepcopy(value)


local_collection.deepcopy = copied


def plain(value):
    """What is None at the top is left out, as the server leaves it out."""
    return {name: each for name, each in value.model_dump(mode="json").items() if each is not None}


def parsed(kind, body):
    return getattr(models, kind).model_validate(body)


class Local:
    client = QdrantClient(":memory:")  # one: it is slow to make
    made = 0

    def __init__(self, schema):
        Local.made += 1
        self.name = f"c{Local.made}"
        self.names = {}
        dense = {name: models.VectorParams.model_validate(of) for name, of in schema["vectors"].items()}
        sparse = {
            name: models.SparseVectorParams.model_validate(of) for name, of in schema.get("sparse_vectors", {}).items()
        }
        self.client.create_collection(self.name, vectors_config=dense, sparse_vectors_config=sparse)

    def close(self):
        self.client.delete_collection(self.name)

    def index(self, field, schema):
        """Local mode has none, but knows which ones rank texts."""
        if isinstance(schema, dict) and schema.get("scoring"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.client.create_payload_index(self.name, field, models.TextIndexParams(**schema))

    def update(self, kind, body):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(self, "_" + kind)(body)

    def _upsert(self, body):
        points = [models.PointStruct(**point) for point in body["points"]]
        condition = parsed("Filter", body["update_filter"]) if "update_filter" in body else None
        mode = models.UpdateMode(body["update_mode"]) if "update_mode" in body else None
        self.client.upsert(self.name, points, update_filter=condition, update_mode=mode)

    def _batch(self, body):
        for operation in body["operations"]:
            ((kind, of),) = operation.items()
            getattr(self, "_" + kind)(of)

    @staticmethod
    def refuse(body):
        """What local mode is known to answer otherwise."""
        if "idf" in body.get("params", {}) and body.get("using") == "words":
            raise NotAsked("rarities of a vector without the modifier: it passes over them")
        if isinstance(body.get("query"), dict) and "relevance_feedback" in body["query"]:
            if body.get("using") in MULTI:
                raise NotAsked("relevance feedback over multivectors: an exception")
            if "lookup_from" in body:
                raise NotAsked("relevance feedback by points of another collection: they are sought in this one")
        for prefetch in body.get("prefetch") or []:
            Local.refuse(prefetch)

    @staticmethod
    def selection(body):
        if "points" in body:
            return models.PointIdsList(points=body["points"])
        return models.FilterSelector(filter=parsed("Filter", body["filter"]))

    def _delete(self, body):
        self.client.delete(self.name, self.selection(body))

    def _set_payload(self, body):
        self.client.set_payload(self.name, body["payload"], self.selection(body), key=body.get("key"))

    def _overwrite_payload(self, body):
        self.client.overwrite_payload(self.name, body["payload"], self.selection(body))

    def _delete_payload(self, body):
        self.client.delete_payload(self.name, body["keys"], self.selection(body))

    def _clear_payload(self, body):
        self.client.clear_payload(self.name, self.selection(body))

    def _update_vectors(self, body):
        points = [models.PointVectors(**point) for point in body["points"]]
        condition = parsed("Filter", body["update_filter"]) if "update_filter" in body else None
        self.client.update_vectors(self.name, points, update_filter=condition)

    def _delete_vectors(self, body):
        self.client.delete_vectors(self.name, body["vector"], self.selection(body))

    def asked(self, body):
        """Points that inputs name are left out of the whole query, as the server does."""
        query = parsed("QueryRequest", resolved(body, self.names))
        names = ("query", "prefetch", "using", "score_threshold", "lookup_from")
        asked = {name: getattr(query, name) for name in names}
        if asked["prefetch"] is not None and not isinstance(asked["prefetch"], list):
            asked["prefetch"] = [asked["prefetch"]]
        asked.update(
            query_filter=query.filter,
            search_params=query.params,
            limit=query.limit or 10,
            offset=query.offset or 0,
            with_payload=False if query.with_payload is None else query.with_payload,
            with_vectors=query.with_vector or False,
        )
        return without_points(asked, named_points(asked, self.name)) if asked["prefetch"] else asked

    def query(self, body):
        self.refuse(body)
        asked = self.asked(body)
        if isinstance(asked["query"], models.FormulaQuery):
            asked["query_filter"] = None if not body.get("filter") else asked["query_filter"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return {"points": [plain(point) for point in self.client.query_points(self.name, **asked).points]}
            except NotImplementedError as error:  # texts cut into tokens by other options than the default ones
                raise NotAsked(str(error)) from error

    def scroll(self, body):
        self.refuse(body)
        asked = parsed("ScrollRequest", body)
        found, after = self.client.scroll(
            self.name,
            scroll_filter=asked.filter,
            limit=asked.limit or 10,
            offset=asked.offset,
            order_by=asked.order_by,
            with_payload=True if asked.with_payload is None else asked.with_payload,
            with_vectors=asked.with_vector or False,
        )
        return {"points": [plain(point) for point in found], "next_page_offset": after}

    def count(self, body):
        return {"count": self.client.count(self.name, count_filter=parsed("CountRequest", body).filter).count}

    def retrieve(self, body):
        self.refuse(body)
        with_vectors, with_payload = body.get("with_vector", False), body.get("with_payload", True)
        if isinstance(with_payload, dict):
            with_payload = parsed("PointRequest", body).with_payload
        found = self.client.retrieve(self.name, body["ids"], with_payload=with_payload, with_vectors=with_vectors)
        return {"points": [plain(point) for point in found]}

    def facet(self, body):
        asked = parsed("FacetRequest", body)
        hits = self.client.facet(
            self.name, asked.key, facet_filter=asked.filter, limit=asked.limit or 10, exact=True
        ).hits
        return {"hits": [plain(hit) for hit in hits]}

    def groups(self, body):
        asked = parsed("QueryGroupsRequest", body)
        if asked.prefetch:
            raise NotAsked("groups over prefetches")
        found = self.client.query_points_groups(
            self.name,
            asked.group_by,
            query=asked.query,
            using=asked.using,
            query_filter=asked.filter,
            limit=asked.limit,
            group_size=asked.group_size,
            with_payload=False if asked.with_payload is None else asked.with_payload,
        ).groups
        return {"groups": [{"id": g.id, "hits": [plain(hit) for hit in g.hits]} for g in found]}

    def matrix(self, body):
        asked = parsed("SearchMatrixRequest", body)
        found = self.client.search_matrix_pairs(
            self.name, query_filter=asked.filter, limit=asked.limit, sample=asked.sample, using=asked.using
        )
        return {"pairs": [plain(pair) for pair in found.pairs]}

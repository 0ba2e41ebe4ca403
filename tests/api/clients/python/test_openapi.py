"""The description of the API: sound OpenAPI, true to what is answered, and complete: every field that the
official client knows stands in it."""

import html.parser
import os
import pathlib
import re
import sys
import typing
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))

from jsonschema import Draft202012Validator  # noqa: E402
from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: E402
from qdrant_client.http import models  # noqa: E402

from request_bodies import COLLECTION, Schemas, fill_collection, make_collection  # noqa: E402
from server_process import ServerTestCase  # noqa: E402

# The client's model, what it is called here, and fields of it that are refused or passed over.
MODELS = [
    ("CreateCollection", "CreateCollection", {"id_tracker"}),
    ("UpdateCollection", "UpdateCollection", set()),
    ("VectorParams", "VectorParams", set()),
    ("VectorParamsDiff", "VectorParamsChange", set()),
    ("SparseVectorParams", "SparseVectorParams", set()),
    ("HnswConfigDiff", "HnswConfig", set()),
    ("OptimizersConfigDiff", "OptimizersConfig", set()),
    ("WalConfigDiff", "WalConfig", set()),
    ("StrictModeConfig", "StrictModeConfig", set()),
    ("MultiVectorConfig", "MultivectorConfig", set()),
    ("KeywordIndexParams", "KeywordIndexParams", set()),
    ("IntegerIndexParams", "IntegerIndexParams", set()),
    ("FloatIndexParams", "FloatIndexParams", set()),
    ("GeoIndexParams", "GeoIndexParams", set()),
    ("TextIndexParams", "TextIndexParams", set()),
    ("BoolIndexParams", "BoolIndexParams", set()),
    ("DatetimeIndexParams", "DatetimeIndexParams", set()),
    ("UuidIndexParams", "UuidIndexParams", set()),
    ("PointStruct", "Point", set()),
    ("Batch", "PointColumns", set()),
    ("SetPayload", "SetPayload", set()),
    ("DeletePayload", "DeletePayload", set()),
    ("UpdateVectors", "UpdateVectors", set()),
    ("DeleteVectors", "DeleteVectors", set()),
    ("SparseVector", "SparseVector", set()),
    ("Document", "Document", set()),
    ("Bm25Config", "Bm25Options", set()),
    ("Filter", "Filter", set()),
    ("FieldCondition", "FieldCondition", set()),
    ("GeoPoint", "GeoPoint", set()),
    ("QueryRequest", "QueryRequest", set()),
    ("QueryGroupsRequest", "QueryGroups", set()),
    ("Prefetch", "Prefetch", set()),
    ("SearchParams", "SearchParams", set()),
    ("LookupLocation", "LookupLocation", set()),
    ("RecommendInput", "RecommendInput", set()),
    ("DiscoverInput", "DiscoverInput", set()),
    ("ContextPair", "ContextPair", set()),
    ("RelevanceFeedbackInput", "RelevanceFeedbackInput", set()),
    ("FeedbackItem", "FeedbackItem", set()),
    ("ScrollRequest", "Scroll", set()),
    ("CountRequest", "Count", set()),
    ("FacetRequest", "Facet", set()),
    ("SearchMatrixRequest", "Matrix", set()),
    ("PointRequest", "Retrieve", set()),
    ("ScoredPoint", "ScoredPoint", {"shard_key"}),
    ("Record", "Record", {"shard_key"}),
    ("PointGroup", "PointGroup", set()),
    ("CollectionInfo", "CollectionInfo", {"warnings", "update_queue", "created_at"}),
    ("UpdateResult", "UpdateResult", set()),
    ("SnapshotDescription", "SnapshotDescription", set()),
    ("SnapshotRecover", "SnapshotRecover", set()),
]
# Answers that are tried, beside those of operations with a body.
ASKED = ["/", "/cluster", "/cluster/telemetry", "/telemetry", "/issues", "/quotas", "/collections", "/aliases",
         "/v1/models", "/akidb/status"]
ASKED_OF_A_COLLECTION = ["", "/exists", "/aliases", "/optimizations?with=queued,idle_segments", "/memory", "/cluster",
                         "/points/1", "/snapshots"]


DOCUMENTS = pathlib.Path(__file__).resolve().parents[4] / "docs" / "api"
# Of the client's models those that are bodies of requests, where one node serves them.
BODIES = (
    "ChangeAliasesOperation CountRequest CreateCollection CreateFieldIndex DeletePayload DeleteVectors FacetRequest "
    "PointRequest PointsList PointsBatch PointIdsList FilterSelector QueryGroupsRequest QueryRequest QueryRequestBatch "
    "QuotaConfig ScrollRequest SearchMatrixRequest SetPayload SnapshotRecover UpdateCollection UpdateOperations "
    "UpdateVectors"
).split()


def fields_below(kind, fields, seen):
    """Names of the fields of a model and of those that it is made of: {name: a model that has it}."""
    for part in typing.get_args(kind):
        fields_below(part, fields, seen)
    if not hasattr(kind, "model_fields") or kind in seen:
        return
    seen.add(kind)
    for name, field in kind.model_fields.items():
        fields.setdefault(field.alias or name, kind.__name__)
        fields_below(field.annotation, fields, seen)


class Anchors(html.parser.HTMLParser):
    """Anchors of a page, and what it wants from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.resources, self.open = set(), set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids.add(attributes["id"])
        if tag == "a":
            self.links.add(attributes["href"])
        self.resources += [attributes[name] for name in ("src", "action", "data") if name in attributes]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes another element")


class Description(ServerTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_collection(cls.server)
        cls.document = cls.server.request("GET", "/openapi.json").json
        cls.schemas = Schemas(cls.document)

    def test_it_is_sound(self):
        errors = [error.message for error in OpenAPIV31SpecValidator(self.document).iter_errors()]
        self.assertEqual(errors, [])

    def test_it_has_every_field_that_the_client_knows(self):
        for name, ours, lacking in MODELS:
            with self.subTest(model=name):
                fields = {field.alias or key for key, field in getattr(models, name).model_fields.items()}
                described = set(self.schemas.component(ours)["properties"])
                self.assertEqual(fields - described, lacking)

    def test_every_field_is_told_of(self):
        """In the documents, but for bodies of operations that answer as a standalone node does."""
        documents = "".join(path.read_text("utf-8") for path in DOCUMENTS.glob("*.md"))
        told = set(re.findall(r"[A-Za-z_0-9]+", documents))
        fields = {}
        for name in BODIES:
            fields_below(getattr(models, name), fields, set())
        self.assertGreater(len(fields), 200)
        self.assertEqual({name: of for name, of in fields.items() if name not in told}, {})

    def check_answer(self, operation, reply):
        content = operation["responses"]["200"]["content"]
        self.assertEqual(list(content), [reply.headers["content-type"]])
        schema = content["application/json"]["schema"]
        whole = {**schema, "components": self.document["components"]}
        errors = [f"{list(error.absolute_path)}: {error.message}" for error in
                  Draft202012Validator(whole).iter_errors(reply.json)]
        self.assertEqual(errors, [], reply.text)

    def operation(self, method, path):
        described = path.split("?")[0].replace(f"/collections/{COLLECTION}", "/collections/{collection_name}")
        described = described.replace("/points/1", "/points/{point_id}")
        return self.document["paths"][described][method.lower()]

    def test_answers_are_as_described(self):
        for path in ASKED + [f"/collections/{COLLECTION}{rest}" for rest in ASKED_OF_A_COLLECTION]:
            with self.subTest(path=path):
                self.check_answer(self.operation("GET", path), self.ok("GET", path))

    def test_answers_to_bodies_are_as_described(self):
        tried = 0
        for method, path, operation in self.schemas.operations():
            body = self.schemas.body_of(operation)
            if body is None or path.startswith("/v1/") or path.endswith(("/{vector_name}", "/recover")):
                continue
            with self.subTest(operation=operation["operationId"]):
                fill_collection(self.server)
                name = "made_here" if operation["operationId"] == "create_collection" else COLLECTION
                path = path.replace("{collection_name}", name) + "?wait=true"
                example = self.schemas.example(body)
                if operation["operationId"].startswith(("scroll", "query_points", "search_points")):
                    example = {**example, "with_vector": True, "with_payload": True}
                self.check_answer(operation, self.ok(method, path, example))
                tried += 1
        self.assertGreater(tried, 25)

    def test_the_examples_fit(self):
        def walk(schema, where):
            for example in schema.get("examples", []):
                whole = {**schema, "components": self.document["components"]}
                errors = [error.message for error in Draft202012Validator(whole).iter_errors(example)]
                self.assertEqual(errors, [], where)
            for key, value in schema.items():
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, dict) and key != "examples":
                        walk(part, f"{where}.{key}")

        for name, schema in self.document["components"]["schemas"].items():
            walk(schema, name)

    def test_the_page_needs_nothing_from_elsewhere(self):
        reply = self.ok("GET", "/docs")
        self.assertEqual(reply.headers["content-type"], "text/html; charset=utf-8")
        page = Anchors(reply.text)
        self.assertEqual(page.open, [])
        self.assertEqual(page.resources, [])
        self.assertEqual({link for link in page.links if not link.startswith("#")}, {"openapi.json"})
        self.assertEqual({link[1:] for link in page.links if link.startswith("#")} - page.ids, set())
        for _, _, operation in self.schemas.operations():
            self.assertIn(operation["operationId"], page.ids)


if __name__ == "__main__":
    unittest.main()

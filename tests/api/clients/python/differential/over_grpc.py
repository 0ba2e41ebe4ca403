"""The real server over gRPC, spoken to in the words of the REST API: what a body doesn't give is left unset."""

import grpc
from qdrant_client import grpc as messages, models
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc
from qdrant_client.grpc.points_service_pb2_grpc import PointsStub

from edge import NotAsked
from served import Refused, Served

# What an answer of REST is called here.
CLASSES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    501: grpc.StatusCode.UNIMPLEMENTED,
}
CONVERTED = {
    "filter": RestToGrpc.convert_filter,
    "params": RestToGrpc.convert_search_params,
    "with_payload": RestToGrpc.convert_with_payload_interface,
    "with_vector": RestToGrpc.convert_with_vectors,
    "order_by": RestToGrpc.convert_order_by_interface,
    "lookup_from": RestToGrpc.convert_lookup_location,
    "query": RestToGrpc.convert_query_interface,
    "offset": RestToGrpc.convert_extended_point_id,
    "ids": lambda ids: [RestToGrpc.convert_extended_point_id(i) for i in ids],
    "points": lambda points: [RestToGrpc.convert_point_struct(p) for p in points],
    "update_filter": RestToGrpc.convert_filter,
    "update_mode": RestToGrpc.convert_update_mode,
    "payload": RestToGrpc.convert_payload,
}
WRITES = {
    "upsert": ("Upsert", messages.UpsertPoints),
    "delete": ("Delete", messages.DeletePoints),
    "set_payload": ("SetPayload", messages.SetPayloadPoints),
    "overwrite_payload": ("OverwritePayload", messages.SetPayloadPoints),
    "delete_payload": ("DeletePayload", messages.DeletePayloadPoints),
    "clear_payload": ("ClearPayload", messages.ClearPayloadPoints),
    "update_vectors": ("UpdateVectors", messages.UpdatePointVectors),
    "delete_vectors": ("DeleteVectors", messages.DeletePointVectors),
}
BATCHED = {"delete": "delete_points"}  # what a batch calls it
MODELS = {
    "set_payload": "SetPayload",
    "overwrite_payload": "SetPayload",
    "delete_payload": "DeletePayload",
    "delete_vectors": "DeleteVectors",
}


def prefetched(prefetch):
    return [RestToGrpc.convert_prefetch_query(p) for p in (prefetch if isinstance(prefetch, list) else [prefetch])]


def point_vectors(points):
    return [RestToGrpc.convert_point_vectors(p) for p in points]


def plain(value):
    return {name: each for name, each in value.model_dump(mode="json").items() if each is not None}


class OverGrpc(Served):
    """A collection that is made and left over REST, and used over gRPC."""

    channel = None  # of the server that `connection` leads to, too
    alter = None  # as that of Served, of this transport alone

    @property
    def points(self):
        return PointsStub(self.channel)

    def given(self, kind, body, **changed):
        """The members of the body that are given, converted; what can't be said in a message isn't asked."""
        try:
            of = getattr(models, kind).model_validate(body)
            fields = {name: getattr(of, name) for name in of.model_fields_set if getattr(of, name) is not None}
            out = {}
            for name, value in fields.items():
                convert = changed[name] if name in changed else CONVERTED.get(name)
                name = "with_vectors" if name == "with_vector" else name
                out[name] = value if convert is None else convert(value)
            return out
        except Exception as error:
            raise NotAsked(f"no message of it: {error}") from error

    def message(self, kind, fields):
        try:
            return kind(collection_name=self.name, **fields)
        except (TypeError, ValueError) as error:
            raise NotAsked(f"no message of it: {error}") from error

    def call(self, method, request):
        try:
            return getattr(self.points, method)(request, timeout=60)
        except grpc.RpcError as error:
            raise Refused(error.code(), error.details()) from error

    def ask(self, kind, body):
        if kind == "query":
            body = {**body, "params": {**body.get("params", {}), "exact": True}}
        result = getattr(self, "_" + kind)(body)
        return self.alter(kind, result) if self.alter else result

    def update(self, kind, body):
        if self.alter:
            body = self.alter(kind, body)
        self.write(kind, body)

    # Reads.
    def _query(self, body):
        fields = self.given("QueryRequest", body, prefetch=prefetched, offset=None)
        reply = self.call("Query", self.message(messages.QueryPoints, fields))
        return {"points": [plain(GrpcToRest.convert_scored_point(p)) for p in reply.result]}

    def _scroll(self, body):
        reply = self.call("Scroll", self.message(messages.ScrollPoints, self.given("ScrollRequest", body)))
        after = reply.next_page_offset
        return {
            "points": [plain(GrpcToRest.convert_retrieved_point(p)) for p in reply.result],
            "next_page_offset": GrpcToRest.convert_point_id(after) if reply.HasField("next_page_offset") else None,
        }

    def _count(self, body):
        reply = self.call("Count", self.message(messages.CountPoints, self.given("CountRequest", body)))
        return {"count": reply.result.count}

    def _retrieve(self, body):
        reply = self.call("Get", self.message(messages.GetPoints, self.given("PointRequest", body)))
        return {"points": [plain(GrpcToRest.convert_retrieved_point(p)) for p in reply.result]}

    def _facet(self, body):
        reply = self.call("Facet", self.message(messages.FacetCounts, self.given("FacetRequest", body)))
        return {"hits": [plain(GrpcToRest.convert_facet_value_hit(hit)) for hit in reply.hits]}

    def _groups(self, body):
        fields = self.given("QueryGroupsRequest", body, prefetch=prefetched)
        reply = self.call("QueryGroups", self.message(messages.QueryPointGroups, fields))
        groups = [GrpcToRest.convert_point_group(g) for g in reply.result.groups]
        return {"groups": [{"id": g.id, "hits": [plain(hit) for hit in g.hits]} for g in groups]}

    def _matrix(self, body):
        fields = self.given("SearchMatrixRequest", body)
        reply = self.call("SearchMatrixPairs", self.message(messages.SearchMatrixPoints, fields))
        return {"pairs": [plain(p) for p in GrpcToRest.convert_search_matrix_pairs(reply.result).pairs]}

    # Writes.
    def written(self, kind, body):
        """What a message of this kind of write says beside the collection's name."""
        if kind in ("delete", "clear_payload"):
            return self.selected("PointIdsList" if "points" in body else "FilterSelector", body, "points")
        if kind == "upsert":
            return self.given("PointsList", body)
        if kind == "update_vectors":
            return self.given("UpdateVectors", body, points=point_vectors)
        fields = self.selected(MODELS[kind], body)
        if kind == "delete_vectors":
            fields["vectors"] = messages.VectorsSelector(names=fields.pop("vector", []))
        return fields

    def selected(self, kind, body, name="points_selector"):
        """`points` and `filter` of a body as one selector."""
        fields = self.given(kind, body, points=None, filter=None)
        if "points" in fields:
            chosen = models.PointIdsList(points=fields.pop("points"))
        elif "filter" in fields:
            chosen = models.FilterSelector(filter=fields.pop("filter"))
        else:
            return fields
        if "points" in fields or "filter" in fields:
            raise NotAsked("a message has one of both")
        try:
            return {**fields, name: RestToGrpc.convert_points_selector(chosen)}
        except ValueError as error:
            raise NotAsked(f"no message of it: {error}") from error

    def batched(self, operation):
        if not isinstance(operation, dict) or len(operation) != 1 or not operation.keys() <= WRITES.keys():
            raise NotAsked("no message of it: an operation has one kind")
        ((kind, body),) = operation.items()
        if not isinstance(body, dict):
            raise NotAsked("no message of it: an operation is an object")
        member = BATCHED.get(kind, kind)
        of = messages.PointsUpdateOperation
        nested = getattr(of, of.DESCRIPTOR.fields_by_name[member].message_type.name)
        try:
            return of(**{member: nested(**self.written(kind, body))})
        except (TypeError, ValueError) as error:
            raise NotAsked(f"no message of it: {error}") from error

    def write(self, kind, body):
        if kind == "batch":
            if not isinstance(body.get("operations"), list) or len(body) != 1:
                raise NotAsked("no message of it: operations are a list")
            method, message = "UpdateBatch", messages.UpdateBatchPoints
            fields = {"operations": [self.batched(each) for each in body["operations"]]}
        else:
            method, message = WRITES[kind]
            fields = self.written(kind, body)
        self.call(method, self.message(message, {"wait": True, **fields}))

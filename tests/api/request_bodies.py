"""Bodies of requests, made of what /openapi.json says of them: valid ones, and ones with one thing wrong.

The examples in the description fit the collection that make_collection() makes.
"""

import copy
import json

COLLECTION = "bodies"
CITIES = ("Rome", "Oslo", "Lima")


def make_collection(server, name=COLLECTION):
    """A collection with what the examples speak of: vectors, indexed fields, points 1 to 6."""

    def ok(method, path, body):
        reply = server.request(method, f"/collections/{name}{path}", body)
        assert reply.status == 200, reply.text

    ok("PUT", "", {"vectors": {"": {"size": 4, "distance": "Dot"}}, "sparse_vectors": {"words": {"modifier": "idf"}}})
    for field, kind in (("city", "keyword"), ("year", "integer"), ("place", "geo"), ("made", "datetime")):
        ok("PUT", "/index?wait=true", {"field_name": field, "field_schema": kind})
    fill_collection(server, name)


def fill_collection(server, name=COLLECTION):
    """Its points, as they were before whatever has changed them."""
    points = []
    for number in range(1, 7):
        points.append({
            "id": number,
            "vector": {"": [number, 1, 0.5, -1], "words": {"indices": [7, number + 40], "values": [0.5, 1.0]}},
            "payload": {
                "city": CITIES[number % 3],
                "year": 1980 + number,
                "place": {"lat": 40.0 + number, "lon": 12.5},
                "made": f"2024-05-0{number}T12:00:00Z",
                "parts": [{"name": "lid", "city": "Rome"}],
            },
        })
    reply = server.request("PUT", f"/collections/{name}/points?wait=true", {"points": points})
    assert reply.status == 200, reply.text


class Schemas:
    """The schemas of a description."""

    def __init__(self, document):
        self.document = document

    def component(self, name):
        return self.document["components"]["schemas"][name]

    def operations(self):
        """(method, path, operation) of each."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def body_of(self, operation):
        body = operation.get("requestBody")
        return body and self.whole(body["content"]["application/json"]["schema"])

    def whole(self, schema):
        """Without reference at its top."""
        while "$ref" in schema or "allOf" in schema:
            schema = schema["allOf"][0] if "allOf" in schema else self.component(schema["$ref"].rsplit("/", 1)[1])
        return schema

    def options(self, schema):
        """The schemas of which the value has to keep one, without null and without options of their own."""
        schema = self.whole(schema)
        if "anyOf" not in schema:
            return [schema]
        return [option for part in schema["anyOf"] if part.get("type") != "null" for option in self.options(part)]

    def types(self, schema):
        """JSON types that a value may have."""
        schema = self.whole(schema)
        if "anyOf" in schema:
            return set().union(*(self.types(option) for option in schema["anyOf"]))
        types = schema.get("type", ["null", "boolean", "integer", "number", "string", "array", "object"])
        types = {types} if isinstance(types, str) else set(types)
        return types | ({"integer"} if "number" in types else set())

    def example(self, schema):
        """A valid value: the example that is given, else one of the least that has to be there."""
        schema = self.whole(schema)
        if "examples" in schema:
            return copy.deepcopy(schema["examples"][0])
        if "anyOf" in schema:
            return self.example(schema["anyOf"][0])
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type", "null")
        kind = kind if isinstance(kind, str) else kind[0]
        if kind == "object":
            needed = schema.get("required", [])
            if "properties" not in schema and isinstance(schema.get("additionalProperties"), dict):
                return {"key": self.example(schema["additionalProperties"])}
            return {name: self.example(schema["properties"][name]) for name in needed}
        if kind == "array":
            return [self.example(schema["items"])] * max(1, schema.get("minItems", 1))
        number = max(1, schema.get("minimum", 1))
        return {"null": None, "boolean": True, "integer": number, "number": float(number), "string": "word"}[kind]


def json_type(value):
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds[type(value)]


class Place:
    """A value in a body: what its schema is, where it stands, and how to make the body with another there."""

    def __init__(self, schemas, schema, path, replace, nullable):
        self.schemas, self.schema, self.path, self.replace, self.nullable = schemas, schema, path, replace, nullable

    def wrong_values(self):
        """Values that the schema does not admit, by what is wrong with them."""
        types = self.schemas.types(self.schema)
        if "boolean" in types and "object" in types and "integer" in types:
            return  # anything goes
        candidates = [("a boolean", True), ("a number", 1.5), ("an integer", 7), ("a string", "no such word"),
                      ("an array", [True]), ("an object", {"no such key": True})]
        for what, value in candidates:
            kind = json_type(value)
            if kind not in types and not (kind == "number" and "number" in types):
                yield what, value
        if not self.nullable and "null" not in types:
            yield "null", None
        options = self.schemas.options(self.schema)
        if "integer" in types and all(option.get("format") == "uint64" for option in options
                                      if "integer" in self.schemas.types(option)):
            yield "a negative number", -1
            yield "a fraction", 0.5
        if "string" in types and all("enum" in option or option.get("format") in ("uuid", "date-time")
                                     for option in options if "string" in self.schemas.types(option)):
            yield "another word", "no such word"
        for option in options:
            for bound, beyond in (("minimum", -1), ("maximum", 1)):
                if bound in option and len(options) == 1:
                    yield f"beyond its {bound}", option[bound] + beyond


# How deep the walk goes into what contains itself.
DEPTH_MAX = 9


def places(schemas, schema, path=(), replace=lambda value: value, names=(), nullable=False, start=None):
    """Every Place in a body of `schema`, the body itself first. `replace(value)`: the body with that there."""
    yield Place(schemas, schema, path, replace, nullable)
    if len(names) >= DEPTH_MAX:
        return
    for option in schemas.options(schema):
        title = json.dumps(option, sort_keys=True)
        if title in names:
            continue
        base = schemas.example(option) if start is None else start
        inner = (*names, title)
        if "properties" in option:
            yield from member_places(schemas, option, base, path, replace, inner)
        elif isinstance(option.get("additionalProperties"), dict) and isinstance(base, dict):
            for key in base:
                yield from places(schemas, option["additionalProperties"], (*path, key),
                                  lambda value, key=key: replace({**base, key: value}), inner, False)
        elif option.get("type") == "array":
            yield from places(schemas, option["items"], (*path, 0),
                              lambda value, base=base: replace([value, *base[1:]]), inner, False)


def member_places(schemas, option, base, path, replace, names):
    for name, member in option["properties"].items():
        yield from places(schemas, member, (*path, name),
                          lambda value, name=name: replace({**base, name: value}), names,
                          name not in option.get("required", []))


def shown_path(path):
    """As errors show it: points[0].id."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else ("." if text else "") + part
    return text

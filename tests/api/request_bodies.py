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
        content = body and body["content"].get("application/json")
        return content and self.whole(content["schema"])

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
    """A value in a body: its schema, where it stands, how to make the body with another value there, whether that
    may be null, and what other forms of the whole take there."""

    def __init__(self, schemas, schema, path, replace, nullable, others=()):
        self.schemas, self.schema, self.path, self.replace, self.nullable = schemas, schema, path, replace, nullable
        self.admitted = {"anyOf": [schema, *others]} if others else schema

    def wrong_values(self):
        """Values that the schema does not admit, by what is wrong with them."""
        types = self.schemas.types(self.admitted)
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
        options = self.schemas.options(self.admitted)
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


def places(schemas, schema):
    """Every Place in a body of `schema`, the body itself first. An object that stands in several is walked through
    where it is met first."""
    met = set()

    def walk(schema, path, replace, nullable, others):
        yield Place(schemas, schema, path, replace, nullable, others)
        options = schemas.options(schema)
        for option in options:
            title = json.dumps(option, sort_keys=True)
            inner = inner_values(option, schemas.example(option))
            if not inner or title in met:
                continue
            met.add(title)
            for part, value_schema, put, may_be_null in inner:
                beside = [inner_schema(other, part) for other in options if other is not option]
                yield from walk(value_schema, (*path, part), lambda value, put=put: replace(put(value)), may_be_null,
                                [other for other in beside if other])

    yield from walk(schema, (), lambda value: value, False, [])


def inner_schema(option, part):
    """Of what is in a value of `option` by the key or index `part`; None where nothing is."""
    if isinstance(part, int):
        return option["items"] if option.get("type") == "array" else None
    named = option.get("properties", {}).get(part)
    if named is None and isinstance(option.get("additionalProperties"), dict):
        return option["additionalProperties"]
    return named


def inner_values(option, base):
    """(key or index, schema, what puts a value there, whether it may be null) of what is in the value `base`."""
    if "properties" in option:
        return [(name, member, lambda value, name=name: {**base, name: value}, name not in option.get("required", []))
                for name, member in option["properties"].items()]
    if isinstance(option.get("additionalProperties"), dict):
        return [(key, option["additionalProperties"], lambda value, key=key: {**base, key: value}, False)
                for key in base]
    if option.get("type") == "array":
        return [(0, option["items"], lambda value: [value, *base[1:]], False)]
    return []


def shown_path(path):
    """As errors show it: points[0].id."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else ("." if text else "") + part
    return text

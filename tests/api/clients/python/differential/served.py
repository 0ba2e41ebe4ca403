"""The real server, over one connection that is kept alive."""

import json

ROUTES = {
    "query": ("POST", "/points/query"),
    "scroll": ("POST", "/points/scroll"),
    "count": ("POST", "/points/count"),
    "retrieve": ("POST", "/points"),
    "facet": ("POST", "/facet"),
    "groups": ("POST", "/points/query/groups"),
    "matrix": ("POST", "/points/search/matrix/pairs"),
    "upsert": ("PUT", "/points"),
    "delete": ("POST", "/points/delete"),
    "set_payload": ("POST", "/points/payload"),
    "overwrite_payload": ("PUT", "/points/payload"),
    "delete_payload": ("POST", "/points/payload/delete"),
    "clear_payload": ("POST", "/points/payload/clear"),
    "update_vectors": ("PUT", "/points/vectors"),
    "delete_vectors": ("POST", "/points/vectors/delete"),
    "batch": ("POST", "/points/batch"),
}
LISTS = ("retrieve",)


def resolved(body, names):
    """The request with the collections that it names by their own names."""
    if isinstance(body, list):
        return [resolved(each, names) for each in body]
    if not isinstance(body, dict):
        return body
    made = {name: resolved(each, names) for name, each in body.items()}
    if isinstance(body.get("lookup_from"), dict):
        asked = body["lookup_from"].get("collection")
        made["lookup_from"] = {**body["lookup_from"], "collection": names.get(asked, asked)}
    if "with_lookup" in body:
        made["with_lookup"] = names.get(body["with_lookup"], body["with_lookup"])
    return made


class Refused(Exception):
    """The server's own answer that the request is bad."""

    def __init__(self, status, text):
        super().__init__(f"{status} {text}")
        self.status = status


class Served:
    made = 0
    alter = None  # a fault, to see whether it is found: called with what was asked and answered

    def __init__(self, connection, schema):
        self.connection = connection
        Served.made += 1
        self.name = f"c{Served.made}"
        self.names = {}  # of collections that requests name
        self.send("PUT", "", schema)

    def close(self):
        self.send("DELETE", "", None)

    def send(self, method, path, body):
        data = None if body is None else json.dumps(body).encode()
        self.connection.request(method, f"/collections/{self.name}{path}", data, {"content-type": "application/json"})
        response = self.connection.getresponse()
        text = response.read()
        if response.status != 200:
            error = Refused if response.status < 500 and response.status != 429 else RuntimeError
            raise (
                error(response.status, text.decode()) if error is Refused else error(f"{response.status} {text} {body}")
            )
        return json.loads(text)["result"]

    def index(self, field, schema):
        self.send("PUT", "/index?wait=true", {"field_name": field, "field_schema": schema})

    def update(self, kind, body):
        method, path = ROUTES[kind]
        if Served.alter:
            body = Served.alter(kind, body)
        self.send(method, path + "?wait=true", body)

    def ask(self, kind, body):
        method, path = ROUTES[kind]
        body = resolved(body, self.names)
        if kind == "query":
            body = {**body, "params": {**body.get("params", {}), "exact": True}}
        result = self.send(method, path, body)
        result = {"points": result} if kind in LISTS else result
        return Served.alter(kind, result) if Served.alter else result

"""Those who change a server until it is killed, beside the writers of points in kill_test.py. Each has names of
its own and knows what the server acknowledged, and what it was asked last; check() says, after the next start,
what doesn't agree with that."""

import http.client
import json
import pathlib
import subprocess
import threading

from server_process import binary, program_environment

PROGRAM_TIMEOUT_S = 120


class Actor(threading.Thread):
    """Takes steps until the server dies or an answer is wrong."""

    def __init__(self):
        super().__init__()
        self.port = None
        self.failure = None
        self.acknowledged_count = 0

    def run_until_killed(self, port):
        self.port = port
        threading.Thread.__init__(self)
        self.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while self.step(connection):
                pass
        except (OSError, http.client.HTTPException):
            pass  # the server is dead, as intended
        finally:
            connection.close()

    def step(self, connection):
        """False when it can't go on: `failure` says why."""
        raise NotImplementedError


def ask(connection, method, path, body=None):
    """The status and the text of the answer."""
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {"content-type": "application/json"})
    response = connection.getresponse()
    return response.status, response.read()


class VectorChanger(Actor):
    """Adds a named vector to a collection, and leaves it out."""

    def __init__(self, collection, name):
        super().__init__()
        self.path = f"/collections/{collection}"
        self.vector = name
        self.there = False  # as acknowledged; None: either

    def step(self, connection):
        adds, self.there = not self.there, None
        body = {"dense": {"size": 2, "distance": "Dot"}} if adds else None
        path = f"{self.path}/vectors/{self.vector}?wait=true"
        status, _ = ask(connection, "PUT" if adds else "DELETE", path, body)
        # 503: what was left out is still being removed.
        self.there = adds if status == 200 else not adds
        self.acknowledged_count += status == 200
        return True

    def check(self, server):
        there = self.vector in server.request("GET", self.path).result["config"]["params"]["vectors"]
        expected, self.there = self.there, there
        if expected in (None, there):
            return None
        return f"the vector that was {'added' if expected else 'left out'} is not"


class Snapshotter(Actor):
    """Makes snapshots of a collection, restores a copy of it from them, and deletes them."""

    KEPT_MAX = 3

    def __init__(self, collection, data_dir, chance, complaint_about):
        """`complaint_about(server, name)`: what is wrong in the points of a copy, or None."""
        super().__init__()
        self.copy = collection + "-copy"
        self.path = f"/collections/{collection}/snapshots"
        self.folder = pathlib.Path(data_dir, "snapshots", collection).resolve()
        self.random = chance
        self.complaint_about = complaint_about
        self.names = set()  # as acknowledged
        self.making = False
        self.deleting = None
        self.copied = False  # as acknowledged

    def step(self, connection):
        if self.names and self.random.random() < 0.2:
            location = (self.folder / self.random.choice(sorted(self.names))).as_uri()
            recovered = f"/collections/{self.copy}/snapshots/recover"
            status, text = ask(connection, "PUT", recovered, {"location": location})
            self.copied = self.copied or status == 200
        elif len(self.names) >= self.KEPT_MAX or (self.names and self.random.random() < 0.3):
            name = self.random.choice(sorted(self.names))
            self.deleting = name
            self.names.discard(name)
            status, text = ask(connection, "DELETE", f"{self.path}/{name}")
            self.deleting = None
        else:
            self.making = True
            status, text = ask(connection, "POST", self.path)
            self.making = False
            if status == 200:
                self.names.add(json.loads(text)["result"]["name"])
        if status != 200:
            self.failure = f"snapshots: status {status}: {text!r}"
            return False
        self.acknowledged_count += 1
        return True

    def check(self, server):
        """Takes over what was made or deleted unacknowledged."""
        if self.failure:
            return self.failure
        found = self._found(server)
        if lost := self.names - found:
            return f"snapshots {sorted(lost)} are gone"
        more = found - self.names - {self.deleting}
        if len(more) > self.making:
            return f"snapshots {sorted(more)} were deleted or never made"
        self.take_over(server)
        if server.request("GET", f"/collections/{self.copy}/exists").result["exists"]:
            self.copied = True
            if complaint := self.complaint_about(server, self.copy):
                return f"{self.copy}: {complaint}"
        elif self.copied:
            return f"{self.copy} is gone"
        return self._verify(self.random.choice(sorted(found))) if found else None

    def take_over(self, server):
        """What is there is the truth from now on."""
        self.names = self._found(server)
        self.making, self.deleting = False, None

    def _found(self, server):
        return {snapshot["name"] for snapshot in server.request("GET", self.path).result}

    def _verify(self, name):
        command = [binary(), "snapshot", "verify", "--quiet", self.folder / name]
        verified = subprocess.run(command, env=program_environment(), capture_output=True, text=True,
                                  timeout=PROGRAM_TIMEOUT_S)
        if verified.returncode == 0:
            return None
        return f"snapshot {name}: {verified.returncode} {verified.stdout}{verified.stderr}"

    def lose_one(self, _):
        """Behind the server's back, for a proof. False if there is none."""
        if not self.names:
            return False
        (self.folder / min(self.names)).unlink()
        return True


class Namer(Actor):
    """Makes and deletes collections, and changes aliases, several at a time. A collection is known by the size
    of its vectors, which is another each time, and by how many points were put into it."""

    COLLECTIONS = tuple(f"named-{number}" for number in range(4))
    ALIASES = tuple(f"alias-{number}" for number in range(4))

    def __init__(self, lasting, chance):
        super().__init__()
        self.lasting = lasting  # a collection that is always there, to lead aliases to
        self.random = chance
        self.size = 0
        # As acknowledged: names to (size, points), aliases to names.
        self.acknowledged = ({}, {})
        self.in_flight = None

    def step(self, connection):
        collections, aliases = self.acknowledged
        kind = self.random.random()
        if kind < 0.5:
            after, request = self._aliases(collections, aliases)
        elif kind < 0.75 and collections:
            after, request = self._fill(collections, aliases)
        else:
            after, request = self._make_or_delete(collections, aliases)
        self.in_flight = after
        status, text = ask(connection, *request)
        if status != 200:
            self.failure = f"{request[:2]}: status {status}: {text!r}"
            return False
        self.acknowledged, self.in_flight = after, None
        self.acknowledged_count += 1
        return True

    def _make_or_delete(self, collections, aliases):
        name = self.random.choice(self.COLLECTIONS)
        if name in collections:
            left = {key: value for key, value in collections.items() if key != name}
            leading_on = {alias: leads_to for alias, leads_to in aliases.items() if leads_to != name}
            return (left, leading_on), ("DELETE", f"/collections/{name}")
        self.size = self.size % 1000 + 1
        # Long, so that the system log is cut behind a checkpoint every now and then.
        body = {"vectors": {"size": self.size, "distance": "Dot"}, "metadata": {"long": "x" * 50_000}}
        return ({**collections, name: (self.size, 0)}, aliases), ("PUT", f"/collections/{name}", body)

    def _fill(self, collections, aliases):
        name = self.random.choice(sorted(collections))
        size, points = collections[name]
        body = {"points": [{"id": id, "vector": [1.0] * size} for id in (points, points + 1)]}
        after = {**collections, name: (size, points + 2)}
        return (after, aliases), ("PUT", f"/collections/{name}/points?wait=true", body)

    def _aliases(self, collections, aliases):
        after, actions = dict(aliases), []
        for alias in self.random.sample(self.ALIASES, self.random.randint(1, len(self.ALIASES))):
            if alias in after and self.random.random() < 0.4:
                del after[alias]
                actions.append({"delete_alias": {"alias_name": alias}})
            else:
                after[alias] = self.random.choice([self.lasting, *sorted(collections)])
                made = {"collection_name": after[alias], "alias_name": alias}
                actions.append({"create_alias": made})
        return (collections, after), ("POST", "/collections/aliases", {"actions": actions})

    def check(self, server):
        """Takes over what an unacknowledged change turned out to have done."""
        if self.failure:
            return self.failure
        found = self._found(server)
        if found not in (self.acknowledged, self.in_flight):
            return f"collections and aliases: acknowledged {self.acknowledged}, found {found}"
        self.acknowledged, self.in_flight = found, None
        return None

    def take_over(self, server):
        """What is there is the truth from now on."""
        self.acknowledged, self.in_flight = self._found(server), None

    def _found(self, server):
        collections = {}
        for described in server.request("GET", "/collections").result["collections"]:
            name = described["name"]
            if name.startswith(self.lasting):  # and what others restored from it
                continue
            params = server.request("GET", f"/collections/{name}").result["config"]["params"]
            count = server.request("POST", f"/collections/{name}/points/count", {}).result["count"]
            collections[name] = (params["vectors"]["size"], count)
        listed = server.request("GET", "/aliases").result["aliases"]
        return collections, {entry["alias_name"]: entry["collection_name"] for entry in listed}

    def lose_one(self, server):
        """Behind the back of who knows what was acknowledged, for a proof. False if there is none."""
        collections, aliases = self.acknowledged
        if aliases:
            action = {"delete_alias": {"alias_name": min(aliases)}}
            return server.request("POST", "/collections/aliases", {"actions": [action]}).status == 200
        return bool(collections) and server.request("DELETE", f"/collections/{min(collections)}").status == 200

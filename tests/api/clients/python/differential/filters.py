"""Random payloads, and filters over them, of every kind."""

import datetime
import random
import uuid

from qdrant_client import models

POINTS = 60
INDEXES = {
    "a": ("keyword", "integer", "float", "bool", "datetime", "uuid", "geo"),
    "b": ("integer", "float", "keyword"),
    "n": ("float", "integer"),
    "t": ("keyword",),
    "d": ("datetime",),
    "u": ("uuid", "keyword"),
    "g": ("geo",),
    "o[].a": ("keyword", "integer", "datetime"),
    "o[].g": ("geo",),
}
WORDS = ("cheap", "Good", "goodness", "hard-ware", "straße", "ÄRGER", "x2", "Ключ", "ключи", "don't", "_a_", "2024")
KEYS = ("a", "b", "n", "t", "d", "u", "g", "o[].a", "o[].b", "o[].g", "o", "p.a", "p.q.b", "a[0]", "b[]")
UUIDS = [str(uuid.UUID(int=random.Random(5).getrandbits(128) + i)) for i in range(6)]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, of):
        return self.random.choice(of)

    def chance(self, of):
        return self.random.randrange(of) == 0

    def text(self):
        return self.pick((" ", ", ", "; ", "-")).join(self.pick(WORDS) for _ in range(self.random.randrange(5)))

    def moment(self):
        r = self.random
        offset = datetime.timezone(datetime.timedelta(minutes=r.choice((-570, 330))))
        return datetime.datetime(
            r.choice((1969, 1970, 2023, 2024)),
            r.choice((1, 2, 12)),
            r.randrange(1, 29),
            r.randrange(24),
            r.choice((0, 30)),
            r.randrange(60),
            r.choice((0, 0, 500000, 123456)),
            r.choice((None, datetime.timezone.utc, offset)),
        )

    def datetime_text(self):
        m = self.moment()
        return self.pick(
            (
                lambda: m.isoformat(),
                lambda: m.isoformat(sep=" "),
                lambda: m.strftime("%Y-%m-%d"),
                lambda: m.strftime("%Y-%m-%d %H:%M"),
                lambda: m.strftime("%Y-%m-%dT%H:%M:%SZ"),
                lambda: m.strftime("%Y-%m-%dT%H:%M:%S.%f+0130"),
                lambda: m.strftime("%Y-%m-%d %H:%M:%S-02"),
                lambda: m.strftime("%Y-%m-%dt%H:%M:%Sz"),
                lambda: m.strftime("%Y-%m-%d %H:%M:%S UTC"),
                lambda: m.strftime("%Y-%m-%dT%H:%M:%S+25:00"),
                lambda: m.strftime("%Y-%m-%dT%H"),
                lambda: m.strftime("%Y/%m/%d"),
                lambda: m.strftime("%Y-%m-31"),
            )
        )()

    def place(self):
        r = self.random
        kind = r.randrange(8)
        if kind == 0:  # the poles and the antimeridian
            return {"lat": r.choice((90, -90, 89.5, 0)), "lon": r.choice((180, -180, 179.5, -179.5, 0))}
        if kind < 4:
            return {"lat": r.randrange(-9, 10) * 10, "lon": r.randrange(-18, 19) * 10}
        return {"lat": round(r.uniform(-90, 90), 3), "lon": round(r.uniform(-180, 180), 3)}

    def scalar(self):
        r = self.random
        return self.pick(
            (
                lambda: None,
                lambda: r.random() < 0.5,
                lambda: r.randrange(-3, 8),
                lambda: r.randrange(8),
                lambda: r.randrange(-4, 12) / 2,
                lambda: self.pick("xyz"),
                lambda: self.pick(("x", "xy", "xyz", "Xy", "")),
                self.text,
                self.datetime_text,
                lambda: self.pick(UUIDS),
                lambda: self.pick(UUIDS).upper(),
                lambda: self.pick(UUIDS).replace("-", ""),
                self.place,
                lambda: self.pick(({"lat": 1}, {"lat": "1", "lon": 2}, {"lon": 1, "lat": None}, {})),
                lambda: self.pick((1e300, -1e-300, 2**53, 2**63, -(2**63), 0.1, -0.0)),
            )
        )()

    def value(self, make, depth=1):
        if depth > 0 and self.chance(4):
            return [self.value(make, depth - 1) for _ in range(self.random.randrange(4))]
        return self.scalar() if self.chance(5) else make()

    def payload(self):
        r = self.random
        makers = {
            "a": self.scalar,
            "b": lambda: r.randrange(-3, 6),
            "n": lambda: r.randrange(-8, 16) / 4,
            "t": self.text,
            "d": self.datetime_text,
            "u": lambda: self.pick(UUIDS),
            "g": self.place,
        }
        payload = {key: self.value(make, 2) for key, make in makers.items() if not self.chance(5)}
        if not self.chance(4):
            payload["o"] = [
                {key: self.value(makers[key]) for key in "abg" if not self.chance(4)} if not self.chance(6) else 7
                for _ in range(r.randrange(4))
            ]
        if self.chance(3):
            payload["p"] = {"a": self.value(self.scalar), "q": {"b": self.value(self.scalar)}}
        return payload

    def ids(self):
        return [*range(POINTS // 2), *(str(uuid.UUID(int=self.random.getrandbits(128))) for _ in range(POINTS // 2))]

    def bounds(self, make):
        names = self.random.sample(("lt", "lte", "gt", "gte"), self.pick((0, 1, 1, 2, 2, 2)))
        return {name: make() for name in names}

    def ring(self, at, size):
        """A convex one, closed; its corners lie on a grid, so that all arithmetic is exact."""
        lat, lon = at
        corners = self.pick(
            (
                ((0, 0), (0, 2), (2, 2), (2, 0)),
                ((0, 1), (1, 2), (2, 1), (1, 0)),
                ((0, 0), (2, 2), (2, 0)),
            )
        )
        points = [models.GeoPoint(lat=lat + y * size, lon=lon + x * size) for y, x in corners]
        if self.chance(2):
            points.reverse()
        return models.GeoLineString(points=[*points, points[0]])

    def polygon(self):
        size = self.pick((10, 20, 40))
        at = (self.random.randrange(-9, 9 - size // 5 + 1) * 10, self.random.randrange(-18, 18 - size // 5 + 1) * 10)
        holes = None
        if self.chance(2):
            holes = [self.ring((at[0] + size / 2, at[1] + size / 2), size / 2)]
        return models.GeoPolygon(exterior=self.ring(at, size), interiors=holes)

    def match(self):
        r = self.random
        scalars = self.pick((lambda: r.randrange(8), lambda: self.pick(("x", "xy", "y", *UUIDS))))
        others = (lambda: r.random() < 0.5, self.text, self.datetime_text)
        return self.pick(
            (
                lambda: models.MatchValue(value=self.pick(others)()),
                lambda: models.MatchValue(value=scalars()),
                lambda: models.MatchAny(any=[scalars() for _ in range(r.randrange(4))]),
                lambda: models.MatchExcept(**{"except": [scalars() for _ in range(r.randrange(4))]}),
                lambda: models.MatchText(text=self.text()),
                lambda: models.MatchTextAny(text_any=self.text()),
                lambda: models.MatchPhrase(phrase=self.text()),
                lambda: models.MatchPrefix(prefix=self.pick(("", "x", "xy", "20", "Good", UUIDS[0][:9]))),
                lambda: models.MatchSubstring(substring=self.pick(("", "y", "oo", "-01", "ключ", UUIDS[0][9:20]))),
            )
        )()

    def field(self, keys):
        r = self.random
        key = self.pick(keys)
        makers = [
            lambda: {"match": self.match()},
            lambda: {"match": self.match()},
            lambda: {"range": models.Range(**self.bounds(lambda: r.randrange(-8, 16) / 2))},
            lambda: {"range": models.DatetimeRange(**(self.bounds(self.moment) or {"lt": self.moment()}))},
            lambda: {"values_count": models.ValuesCount(**self.bounds(lambda: r.randrange(4)))},
            lambda: {"is_empty": r.random() < 0.5},
            lambda: {"is_null": r.random() < 0.5},
            lambda: {
                "geo_bounding_box": models.GeoBoundingBox(
                    top_left=models.GeoPoint(**self.place()), bottom_right=models.GeoPoint(**self.place())
                )
            },
            lambda: {
                "geo_radius": models.GeoRadius(
                    center=models.GeoPoint(**self.place()), radius=self.pick((0.0, 1.5e5, 1e6, 5e6, 1.2e7, 3e7))
                )
            },
            lambda: {"geo_polygon": self.polygon()},
        ]
        fitting = {"t": makers[:2], "d": makers[3:4], "g": makers[7:], "o[].g": makers[7:], "n": makers[2:3]}
        if key in fitting and not self.chance(3):
            makers = fitting[key]
        return models.FieldCondition(key=key, **self.pick(makers)())

    def condition(self, depth, keys):
        r = self.random
        some = [lambda: self.field(keys)] * 6 + [
            lambda: models.IsEmptyCondition(is_empty=models.PayloadField(key=self.pick(keys))),
            lambda: models.IsNullCondition(is_null=models.PayloadField(key=self.pick(keys))),
            lambda: models.HasIdCondition(has_id=[r.randrange(POINTS) for _ in range(r.randrange(30))]),
            lambda: models.HasVectorCondition(has_vector=self.pick(("", "v", "w"))),
            lambda: models.SliceCondition(slice=models.Slice(**self.slice())),
        ]
        if depth > 0:
            some += [
                lambda: self.filter(depth - 1, keys),
                lambda: self.filter(depth - 1, keys),
                lambda: models.NestedCondition(
                    nested=models.Nested(
                        key=self.pick(("o", "o[]", "a", "p")), filter=self.filter(depth - 1, ("a", "b", "g"))
                    )
                ),
            ]
        return self.pick(some)()

    def slice(self):
        total = self.random.randrange(1, 5)
        return {"total": total, "index": self.random.randrange(total)}

    def filter(self, depth=2, keys=KEYS):
        clauses = {}
        for name in self.random.sample(("must", "should", "must_not"), self.pick((1, 1, 2, 3))):
            clauses[name] = [self.condition(depth, keys) for _ in range(self.pick((1, 1, 2, 3)))]
        if self.chance(5):
            conditions = [self.condition(depth, keys) for _ in range(self.random.randrange(4))]
            clauses["min_should"] = models.MinShould(conditions=conditions, min_count=self.random.randrange(1, 4))
        return models.Filter(**clauses)

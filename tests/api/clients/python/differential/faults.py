"""Faults that answers, or what is written, get on their way: each must be found."""

import copy


def altered(kinds, change):
    def alter(kind, value):
        if kind not in kinds:
            return value
        value = copy.deepcopy(value)
        change(value)
        return value

    return alter


def points_of(value, least=1):
    points = value.get("points", [])
    return points if len(points) >= least else []


def scaled(value):
    for point in points_of(value)[:1]:
        point["score"] = point["score"] * 1.01 + 0.01


def lost(value):
    if points_of(value, 3):
        del value["points"][1]


def swapped(value):
    if points_of(value, 3):
        points = value["points"]
        points[0], points[2] = points[2], points[0]


def float_for_integer(value):
    for point in points_of(value):
        for name, each in (point.get("payload") or {}).items():
            if type(each) is int:
                point["payload"][name] = float(each)


def rounded(value):
    for point in points_of(value):
        if isinstance(point.get("vector"), list):
            point["vector"] = [x + 0.004 for x in point["vector"]]


def paged(value):
    value["next_page_offset"] = None if value.get("next_page_offset") is not None else 1


def unfiltered(value):
    value.pop("filter", None)
    value.setdefault("points", [0])


def regrouped(value):
    if len(value["groups"]) > 1:
        value["groups"].reverse()


def counted(value):
    if "count" in value:
        value["count"] += 1
    for hit in value.get("hits", [])[:1]:
        hit["count"] += 1


def merged(value):
    value.pop("key", None)


FAULTS = {
    "a score that is off by a hundredth": altered(("query",), scaled),
    "a point left out of a query": altered(("query",), lost),
    "a point left out of a scroll": altered(("scroll",), lost),
    "two points in each other's place": altered(("scroll",), swapped),
    "an integer that comes back as a float": altered(("scroll", "retrieve"), float_for_integer),
    "a vector that comes back inexact": altered(("scroll", "retrieve"), rounded),
    "another next page": altered(("scroll",), paged),
    "groups in another order": altered(("groups",), regrouped),
    "a count that is one too many": altered(("count",), counted),
    "a facet that counts one too many": altered(("facet",), counted),
    "a write by filter that goes elsewhere": altered(("set_payload", "delete_payload", "delete"), unfiltered),
    "a payload that is set at the top, not at its key": altered(("set_payload",), merged),
}

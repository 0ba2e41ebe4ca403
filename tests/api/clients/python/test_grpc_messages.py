"""docs/api/grpc_messages.md tells of every method, message and field of the dialect's protos, and of no others."""

import pathlib
import re
import unittest

from qdrant_client.grpc import collections_service_pb2, points_service_pb2, qdrant_pb2, snapshots_service_pb2

PAGE = pathlib.Path(__file__).resolve().parents[4] / "docs" / "api" / "grpc_messages.md"
FILES = (qdrant_pb2, collections_service_pb2, points_service_pb2, snapshots_service_pb2)
WORDS = {"exact", "mapped", "kept", "refused", "unread", "unset"}
METHOD = re.compile(r"^\| `(\w+\.\w+)` \| `(\w+)` \| `(\w+)` \|", re.MULTILINE)
FIELDS = re.compile(r"^\| (`[\w`, ]+`) \| (\w+) \|", re.MULTILINE)
TICKED = re.compile(r"`([\w.]+)`")


def methods():
    return [method for file in FILES for service in file.DESCRIPTOR.services_by_name.values()
            for method in service.methods]


def messages_below(message, found):
    """Messages that a message is made of, itself among them, by name; maps by their values."""
    name = message.full_name.removeprefix("qdrant.")
    if message.file.package != "qdrant" or name in found:
        return
    if not message.GetOptions().map_entry:
        found[name] = message
    for field in message.fields:
        if field.message_type is not None:
            messages_below(field.message_type, found)


def fields_told(text):
    return {field for names, _ in FIELDS.findall(text) for field in TICKED.findall(names)}


class GrpcMessages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        text = PAGE.read_text(encoding="utf-8")
        cls.text = text
        cls.common = fields_told(text.split("\n## Fields of many requests\n")[1].split("\n## ")[0])
        cls.sections = []
        for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
            heading, rest = section.split("\n", 1)
            cls.sections.append((TICKED.findall(heading), fields_told(re.split(r"^## ", rest, flags=re.MULTILINE)[0])))

    def test_every_method_stands_there(self):
        expected = [(f"{method.containing_service.name}.{method.name}", method.input_type.name, method.output_type.name)
                    for method in methods()]
        self.assertGreater(len(expected), 50)
        self.assertEqual(sorted(METHOD.findall(self.text)), sorted(expected))

    def test_every_field_of_every_message_stands_there(self):
        messages = {}
        for method in methods():
            messages_below(method.input_type, messages)
            messages_below(method.output_type, messages)
        self.assertGreater(len(messages), 200)
        self.assertEqual(sorted(name for names, _ in self.sections for name in names), sorted(messages))
        for names, told in self.sections:
            fields = {name: {field.name for field in messages[name].fields} for name in names}
            for name in names:
                with self.subTest(message=name):
                    self.assertEqual(fields[name] - told - self.common, set())
            with self.subTest(section=names):
                self.assertEqual(told - set().union(*fields.values()), set())

    def test_each_row_says_how(self):
        self.assertEqual({how for _, how in FIELDS.findall(self.text)} - WORDS, set())


if __name__ == "__main__":
    unittest.main()

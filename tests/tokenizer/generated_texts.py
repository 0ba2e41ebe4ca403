"""Texts that are made to tell tokenizers apart: tokens, spaces, marks, letters of all planes, added
tokens, long runs, and bytes that are no UTF-8."""
import codecs

# 55 code points that ICU 72 doesn't know as letters, so that their lower case can't be told.
UNKNOWN_LETTERS = {0x1C89, 0xA7CB, 0xA7CC, 0xA7CE, 0xA7D2, 0xA7D4, 0xA7DA, 0xA7DC,
                   *range(0x10D50, 0x10D66), *range(0x16EA0, 0x16EB9)}
# Where the reference's Unicode differs from ours, where marks are reordered or composed, and spaces.
SPECIAL = [0x1734, 0x166D, 0x111C9, 0x1885, 0x1886, 0xA9BD, 0x11938, 0x302E, 0x302F, 0x1D165, 0x1D16D,
           0x1D158, 0x1D160, 0x34F, 0x301, 0x323, 0x345, 0x898, 0x10F46, 0x16FF0, 0x1193E, 0x2260,
           0x37E, 0x1FEF, 0x130, 0x131, 0x1E9E, 0x3A3, 0x3C3, 0xFB01, 0x212A, 0x85, 0xA0, 0x2028,
           0x3000, 0x180E, 0x200B, 0x200D, 0xFEFF, 0xFFFD, 0, 1, 9, 10, 11, 12, 13, 0x7F, 0xAC00,
           0x4E2D, 0xF900, 0x2F800, 0x9FFF, 0x1F600, 0xE000]
# Composition: Hangul parts, Indic vowels, exclusions, singletons, marks newer than Unicode 9.
COMPOSING = [0x1100, 0x1161, 0x11A8, 0x11A7, 0xAC00, 0x9C7, 0x9BE, 0x9D7, 0xB47, 0xB56, 0x1025, 0x102E,
             0x11131, 0x11127, 0x11935, 0x11930, 0x958, 0xFB1D, 0x2126, 0x212B, 0x327, 0x31B, 0x338,
             0x8D4, 0x8E1, 0x1DF6, 0x1ABF, 0x10D24, 0x11442, 0x1E136, 0x41, 0x65, 0x6F, 0x3D, 0x1D157]
WORDS = ["'s", "'S", "'\u017f", "'t", "'re", "'VE", "'ll", "'LL", "'d", "'m", "'", "don't", "it's", " '",
         "\n", "\r\n", " \n", "\n ", "  ", "   ", "\t", "\u00a0", "\u3000", "123", "4567", " 9",
         "\u0663", "\u00bd", "\u216b", "!", "!!", "...", "\u2014", " (", ")\n", "/", "://", "_", "\u2581",
         "\u2581a", "<0x41>", "\U0001f468\u200d\U0001f469", "\u0e33", "\u1100\u1161", "\uff21"]
INVALID = [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80",
           b"\xe2\x82", b"\x80", b"\xf0\x9f\x98"]
ASCII = [chr(c) for c in range(32, 127)]

# As AkiDB reads them: U+FFFD for every byte that belongs to no well-formed sequence.
codecs.register_error("each_byte", lambda error: ("\ufffd", error.start + 1))


def as_reference_sees(text):
    return text.decode("utf-8", "each_byte")


def any_char(rng):
    while True:
        c = rng.randrange(0x110000) if rng.random() < 0.3 else rng.randrange(0x3000)
        if not 0xD800 <= c <= 0xDFFF and c not in UNKNOWN_LETTERS:
            return chr(c)


class TextMaker:
    """`tokens`: what the model knows, as texts; `contents`: of added tokens."""

    def __init__(self, rng, tokens, contents):
        self.rng, self.tokens, self.contents = rng, tokens, contents

    def unit(self):
        rng, kind = self.rng, self.rng.random()
        if kind < 0.30:
            return rng.choice(self.tokens)
        if kind < 0.42:
            return " " * rng.choice((1, 1, 1, 2))
        if kind < 0.54:
            return rng.choice(ASCII)
        if kind < 0.64:
            return "".join(chr(rng.choice(SPECIAL)) for _ in range(rng.randrange(1, 4)))
        if kind < 0.70:
            return "".join(chr(rng.choice(COMPOSING)) for _ in range(rng.randrange(1, 5)))
        if kind < 0.78:
            return rng.choice(WORDS)
        if kind < 0.93:
            return any_char(rng)
        if kind < 0.98:
            return rng.choice(self.contents)
        return rng.choice("ab \u00e9\u4e2d!1\n") * rng.choice((7, 49, 99, 100, 101))

    def text(self):
        """Bytes; one of a hundred is longer than any window that a text is read by."""
        rng = self.rng
        count = rng.randrange(12) if rng.random() < 0.99 else rng.randrange(500, 3000)
        made = "".join(self.unit() for _ in range(count))
        if rng.random() < 0.1:
            made = made.upper()
        made = made.encode()
        if rng.random() < 0.05:
            place = rng.randrange(len(made) + 1)
            made = made[:place] + rng.choice(INVALID) + made[place:]
        return made

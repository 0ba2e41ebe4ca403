"""A retrieval set: the titles of The Debian Administrator's Handbook (package debian-handbook) as
queries, and its paragraphs, joined to passages, those under a title being what it asks for."""
import html
import pathlib
import re

FOLDER = pathlib.Path("/usr/share/doc/debian-handbook/html/en-US")
PIECE = re.compile(r'<h[1-6] class="title">(?P<title>.*?)</h[1-6]>|<div class="para">(?P<div>.*?)</div>|'
                   r'<p class="para">(?P<p>.*?)</p>', re.S)
NUMBER = re.compile(r"^(Chapter|Appendix)?\s*[0-9A-Z]+(\.[0-9]+)*\.\s+")
PASSAGE_CHARACTERS = 900


def plain(text):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", text))).strip()


def read():
    """Passages, and by title the numbers of those under it, until the next title. Titles that stand
    above nothing are left out."""
    passages, titles = [], {}
    for path in sorted(FOLDER.glob("*.html")):
        title, current = None, None
        for piece in PIECE.finditer(path.read_text(encoding="utf-8")):
            text = plain(piece["title"] or piece["div"] or piece["p"] or "")
            if piece["title"] is not None:
                title, current = NUMBER.sub("", text), None
            elif title and text:
                if current is None or len(passages[current]) + len(text) > PASSAGE_CHARACTERS:
                    current = len(passages)
                    passages.append(text)
                    titles.setdefault(title, []).append(current)
                else:
                    passages[current] += " " + text
    return passages, titles

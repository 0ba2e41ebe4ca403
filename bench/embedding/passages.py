"""Passages for the measurements of this folder: paragraphs of The Debian Administrator's Handbook (package
debian-handbook), joined to about 200 tokens."""
import glob
import html
import pathlib
import re

BOOK = "/usr/share/doc/debian-handbook/html/en-US/*.html"
PARAGRAPH = re.compile(r'<p>(.*?)</p>|<p class="para">(.*?)</p>|<div class="para">(.*?)</div>', re.S)
PASSAGE_CHARACTERS = 900


def paragraphs(page):
    for groups in PARAGRAPH.findall(page):
        text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", "".join(groups)))).strip()
        if text:
            yield text


def passages():
    result = []
    for path in sorted(glob.glob(BOOK)):
        current = ""
        for text in paragraphs(pathlib.Path(path).read_text(encoding="utf-8")):
            if current and len(current) + len(text) > PASSAGE_CHARACTERS:
                result.append(current)
                current = text
            else:
                current = f"{current} {text}".strip()
        if current:
            result.append(current)
    if not result:
        raise SystemExit("install the package debian-handbook first")
    return result

"""Texts as BM25 has them: the server's tokens and weights against those of `qdrant-edge-py`.

Rare letters that are folded to ASCII, and bounds that exclude each other, are not asked: docs/api/differential.md.
"""

import qdrant_edge as edge

from served import Served
from worlds import attempt, close

SCHEMA = {"vectors": {"": {"size": 1, "distance": "Dot"}}, "sparse_vectors": {"w": {}}}
A_BATCH = 12
WORDS = {
    "english": "the running foxes jumped over lazy dogs' nationality relational hopping it's don't generously quickly",
    "german": "die Häuser laufen über grüne Straßen aufeinander Bücher gegangen Mädchen und nicht Größe",
    "french": "les chevaux mangeaient l'été déjà nationalité œuvre rapidement continuellement n'est pas",
    "spanish": "los niños corrían rápidamente canción españolas además mañana hablándonos",
    "italian": "gli amici mangiavano velocemente città perché abbandonata l'uomo",
    "portuguese": "as crianças corriam rapidamente ação não São Paulo informações",
    "russian": "красивые дома бежали быстро и не вчера книгами Москве",
    "dutch": "de kinderen lopen snel huizen mogelijkheden niet gevaarlijke",
    "swedish": "barnen springer snabbt husen möjligheter inte jaktkarlarne",
    "finnish": "lapset juoksevat nopeasti taloissa mahdollisuuksia ei kirjastoissa",
    "danish": "børnene løber hurtigt husene muligheder ikke",
    "norwegian": "barna løper raskt husene muligheter ikke",
    "hungarian": "a gyerekek gyorsan futnak házakban lehetőségek nem",
    "romanian": "copiii aleargă repede casele posibilități nu",
    "turkish": "çocuklar hızlı koşuyor evlerde imkanlar değil",
    "greek": "τα παιδιά τρέχουν γρήγορα σπίτια και",
    "arabic": "الأطفال يركضون بسرعة في البيوت",
    "none": "x2 3.14 2024-05-01 a_b foo.bar@example.org C++ naïve ﬁne 日本語 한국어 e\u0301te\u0301 ' - --",
}
STEMS = [name for name in WORDS if name != "none"]
TOKENIZERS = {
    "word": edge.TokenizerType.Word,
    "whitespace": edge.TokenizerType.Whitespace,
    "prefix": edge.TokenizerType.Prefix,
}


def language(name):
    return getattr(edge.Language, name.capitalize())


def stop_words(of):
    if isinstance(of, str):
        return language(of)
    return edge.StopwordsSet(
        {language(each) for each in of.get("languages", [])} or None, set(of.get("custom", [])) or None
    )


def stemmer(of):
    if of["type"] == "none":
        return edge.DisabledStemmer()
    return edge.SnowballParams(getattr(edge.SnowballLanguage, of["language"].capitalize()))


def config(options):
    made = {"tokenizer": TOKENIZERS.get, "stopwords": stop_words, "stemmer": stemmer}
    return edge.Bm25Config(**{name: made.get(name, lambda v: v)(value) for name, value in options.items()})


class Texts:
    def __init__(self, connection, random):
        self.served = Served(connection, SCHEMA)
        self.random = random

    def close(self):
        self.served.close()

    def text(self, spoken):
        words = (WORDS[spoken] + " " + WORDS["none"]).split()
        chosen = [self.random.choice(words) for _ in range(self.random.randrange(10))]
        chosen = [self.random.choice((str, str, str.upper, str.capitalize))(word) for word in chosen]
        return self.random.choice((" ", " ", ", ", "; ", "-", "\n")).join(chosen)

    def options(self, spoken):
        r = self.random
        stops = ({"custom": WORDS[spoken].split()[:2]}, {"languages": [spoken], "custom": ["fox"]}, spoken)
        make = {
            "k": lambda: r.choice((0.0, 0.5, 2.0)),
            "b": lambda: r.choice((0.0, 0.3, 1.0)),
            "avg_len": lambda: r.choice((1.0, 4.5, 100.0)),
            "tokenizer": lambda: r.choice(list(TOKENIZERS)),
            "lowercase": lambda: r.random() < 0.5,
            "ascii_folding": lambda: r.random() < 0.5,
            "min_token_len": lambda: r.randrange(1, 4),
            "max_token_len": lambda: r.randrange(3, 9),
            "stemmer": lambda: r.choice(({"type": "none"}, {"type": "snowball", "language": spoken})),
        }
        if spoken in STOPPED:
            make["stopwords"] = lambda: r.choice(stops)
        options = {name: value() for name, value in make.items() if r.randrange(4) == 0}
        if options.get("tokenizer") == "whitespace" or options.get("lowercase") is False:
            # Versions of Snowball stem what is no word, or has capital letters, differently.
            options["stemmer"] = {"type": "none"}
        return {"language": spoken, **options}

    def batch(self):
        spoken = self.random.choice(STEMS)
        options = self.options(spoken)
        return options, [self.text(spoken) for _ in range(A_BATCH)]

    def differences(self, options, texts):
        """Of a batch of texts, stored and asked for: {oracle: text}."""
        model = attempt(lambda: edge.Bm25(config(options)))
        points = [
            {"id": i, "vector": {"w": {"text": text, "model": "qdrant/bm25", "options": options}}}
            for i, text in enumerate(texts)
        ]
        self.served.update("delete", {"filter": {}})
        written = attempt(lambda: self.served.update("upsert", {"points": points}))
        if isinstance(model, dict) or written:
            return (
                {}
                if isinstance(model, dict) and written
                else {"edge": f"the server says {written}, the oracle {model}"}
            )
        found = self.served.ask("retrieve", {"ids": list(range(len(texts))), "with_vector": True})["points"]
        documents = {}
        for point in found:
            ours = point["vector"]["w"]
            theirs = model.embed_document(texts[point["id"]])
            documents[point["id"]] = dict(zip(theirs.indices, theirs.values))
            mine = dict(zip(ours["indices"], ours["values"]))
            if mine.keys() != documents[point["id"]].keys() or any(
                not close(weight, documents[point["id"]][index]) for index, weight in mine.items()
            ):
                return {"edge": f"{texts[point['id']]!r} is {mine}, not {documents[point['id']]}"}
        asked = texts[0]
        hits = self.served.ask("query", {"query": points[0]["vector"]["w"], "using": "w", "limit": len(texts)})[
            "points"
        ]
        indices = model.embed_query(asked).indices
        scores = {i: sum(d.get(index, 0.0) for index in indices) for i, d in documents.items() if set(indices) & set(d)}
        mine = {hit["id"]: hit["score"] for hit in hits}
        if mine.keys() != scores.keys() or any(not close(mine[i], score) for i, score in scores.items()):
            return {"edge": f"{asked!r} finds {mine}, not {scores}"}
        return {}

    def smallest(self, options, texts):
        """Fewer options, texts and words that still differ."""
        again = True
        while again:
            again = False
            fewer = [(options, [t for t in texts if t != text]) for text in texts if len(texts) > 1]
            fewer += [({k: v for k, v in options.items() if k != name}, texts) for name in options]
            if len(texts) == 1:
                words = texts[0].split()
                fewer += [
                    (options, [" ".join(words[:at] + words[at + 1 :])]) for at in range(len(words)) if len(words) > 1
                ]
            for less in fewer:
                if self.differences(*less):
                    options, texts = less
                    again = True
                    break
        return f"{self.differences(options, texts)}\nqdrant/bm25 {options} {texts}"


STOPPED = (
    "english german french spanish italian portuguese russian dutch swedish finnish danish norwegian hungarian "
    "romanian turkish greek arabic"
).split()

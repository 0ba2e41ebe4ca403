"""Is a variant of a model as good as its float32 reference, whatever it is batched with?

    python quality_gate.py VARIANT REFERENCE [--report FILE] [--passages N]

Both are folders of models with manifests. On The Debian Administrator's Handbook, its titles as queries
(handbook.py), three conditions hold or the exit code is 1:
- the mean cosine to the reference of queries, and that of passages, is at least --min-cosine; with
  --every each text's is;
- nDCG@10 is within --max-loss of the reference's;
- the vectors of a sample are equal bit for bit, alone and in batches of four compositions.
The report is JSON, on standard output, too.
"""
import argparse
import json
import pathlib
import random
import sys

import numpy as np

import handbook
import model_folder

DEPTH = 10


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variant", type=pathlib.Path)
    parser.add_argument("reference", type=pathlib.Path)
    parser.add_argument("--report", type=pathlib.Path, help="file that the report is written to")
    parser.add_argument("--passages", type=int, default=0, metavar="N", help="of the first N alone; default: all")
    parser.add_argument("--sample", type=int, default=96, help="texts that are batched (default: 96)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample and its order (default: 1)")
    parser.add_argument("--min-cosine", type=float, default=0.999, help="(default: 0.999)")
    parser.add_argument("--every", action="store_true", help="hold each text to it, not the means")
    parser.add_argument("--max-loss", type=float, default=0.005, help="of nDCG@10, relative (default: 0.005)")
    return parser.parse_args()


def opened(folder):
    return model_folder.Reference(folder, json.loads((folder / "manifest.json").read_text()))


def alone(model, kind, texts):
    return np.concatenate([model.vectors([ids]) for ids in model.ids(kind, texts)])


def ndcg(queries, passages, relevant):
    """Mean over queries; `relevant`: the numbers of the passages of each."""
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
    order = np.argsort(-(queries @ passages.T), axis=1, kind="stable")[:, :DEPTH]
    gains = [discounts[:len(found)][np.isin(found, wanted)].sum() / discounts[:len(wanted)].sum()
             for found, wanted in zip(order, relevant)]
    return float(np.mean(gains))


def compositions(lengths, source):
    """Batches of numbers of texts, by name."""
    count = len(lengths)
    by_length = sorted(range(count), key=lambda i: -lengths[i])
    longest = by_length[0]
    shuffled = source.sample(range(count), count)
    return {"of like length": [by_length[i:i + 4] for i in range(0, count, 4)],
            "padded to the longest": [[longest, i] for i in range(count) if i != longest],
            "random neighbours": [shuffled[i:i + 7] for i in range(0, count, 7)],
            "one batch": [shuffled]}


def batch_differences(model, texts, source):
    """By composition, how many texts have another vector than alone."""
    sequences = model.ids("document", texts)
    expected = np.concatenate([model.vectors([ids]) for ids in sequences])
    result = {}
    for name, batches in compositions([len(ids) for ids in sequences], source).items():
        different = 0
        for batch in batches:
            vectors = model.vectors([sequences[i] for i in batch])
            different += int((vectors != expected[batch]).any(1).sum())
        result[name] = different
    return result


def cosine_figures(vectors, reference, bound):
    cosines = np.sort((vectors * reference).sum(1))
    return {"least": float(cosines[0]), "hundredth": float(cosines[len(cosines) // 100]),
            "mean": float(cosines.mean()), "below": int((cosines < bound).sum())}


def measured(arguments):
    passages, titles = handbook.read()
    if not passages:
        sys.exit("install the package debian-handbook first")
    passages = passages[:arguments.passages or None]
    titles = {title: numbers for title, numbers in titles.items() if numbers[-1] < len(passages)}
    source = random.Random(arguments.seed)
    variant, reference = opened(arguments.variant), opened(arguments.reference)
    vectors = {name: (alone(model, "query", titles), alone(model, "document", passages))
               for name, model in (("variant", variant), ("reference", reference))}
    sample = source.sample(passages, min(arguments.sample, len(passages)))
    scores = {name: ndcg(*pair, titles.values()) for name, pair in vectors.items()}
    return {"variant": variant.manifest["id"], "reference": reference.manifest["id"],
            "passages": len(passages), "queries": len(titles),
            "cosine": {kind: cosine_figures(vectors["variant"][i], vectors["reference"][i], arguments.min_cosine)
                       for i, kind in enumerate(("queries", "passages"))},
            "ndcg_at_10": scores, "ndcg_loss": 1 - scores["variant"] / scores["reference"],
            "sample": len(sample), "differ_from_alone": batch_differences(variant, sample, source)}


def main():
    arguments = options()
    report = measured(arguments)
    report["failed"] = [name for name, failed in {
        "cosine": min(row["least" if arguments.every else "mean"]
                      for row in report["cosine"].values()) < arguments.min_cosine,
        "ndcg": report["ndcg_loss"] > arguments.max_loss,
        "batch": any(report["differ_from_alone"].values())}.items() if failed]
    text = json.dumps(report, indent=1)
    print(text)
    if arguments.report:
        arguments.report.write_text(text + "\n")
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

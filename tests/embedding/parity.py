"""AkiDB's vectors against those of the reference pipeline: cosine >= 0.99999 for every text.

    build/reference/bin/python tests/embedding/parity.py EMBED_TEXTS

200 texts of all lengths, from one character to beyond the window, each embedded by the reference
alone, and by AkiDB in batches of three compositions. Exit code 77 (skipped) without the model.
"""
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIN_COSINE = 0.99999
COMPOSITIONS = [[], ["clients=3", "request_texts=7", "workers=2"],
                ["workers=2", "batch_tokens=2048", "bucket_step=64"]]
WORDS = ("the server keeps every package file system kernel mounted disk Straße naïve café 中文 字 "
         "apt-get dpkg --search /etc/fstab 192.168.1.1 don't e.g. 3.14 RAID-1 ООО Ελλάδα 🙂 a I "
         "configuration internationalization supercalifragilistic x86_64 libfoo2.so.1").split()


def make_texts(seed):
    source = random.Random(seed)
    texts = []
    for i in range(200):
        words = 1 + int(i ** 2 / 160)  # 1 to about 250 words: from 3 tokens to beyond the window
        texts.append(" ".join(source.choice(WORDS) for _ in range(words)))
    source.shuffle(texts)
    return texts


def akidb_vectors(program, texts, settings):
    import numpy as np
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "texts"), os.path.join(folder, "vectors")
        with open(source, "wb") as file:
            file.write("\0".join(texts).encode())
        library = sorted((ROOT / "build" / "lib").glob("libonnxruntime.so*"))[-1]
        subprocess.run([program, source, f"out={target}", f"library={library}",
                        f"models={ROOT / 'build' / 'models'}", *settings], check=True)
        return np.fromfile(target, np.float32).reshape(len(texts), -1)


def main():
    if not (ROOT / "build" / "models" / "all-minilm-l6-v2" / "model.onnx").exists():
        print("skipped: the default model is not installed; run `akidb models pull`")
        return 77
    import reference
    seed = int(os.environ.get("AKIDB_TEST_SEED", "1"))
    print(f"AKIDB_TEST_SEED={seed}")
    texts = make_texts(seed)
    expected = reference.Reference().embed(texts, batch=1)
    failed = False
    for settings in COMPOSITIONS:
        cosines = (akidb_vectors(sys.argv[1], texts, settings) * expected).sum(1)
        print(f"{' '.join(settings) or 'one request'}: least cosine {cosines.min():.8f}")
        failed = failed or not cosines.min() >= MIN_COSINE
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

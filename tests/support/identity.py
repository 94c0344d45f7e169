"""Documents of every extractor, and the files that they name; no weights are read."""

import json

MODEL = "{files}/checkpoint"


def make_files(folder):
    """Write fitted states, a checkpoint, a tokenizer and word vectors; return the folder."""
    for name in ("state/text", "checkpoint"):
        (folder / name).mkdir(parents=True)
    (folder / "checkpoint/config.json").write_text(json.dumps({"model_type": "bert"}))
    (folder / "checkpoint/model.safetensors").write_bytes(b"weights")
    (folder / "checkpoint/tokenizer.json").write_text("{}")
    (folder / "vectors.txt").write_text("cat 0.5 1\n")
    for place in ("state", "state/text"):
        for name in ("tokenizer", "vocabulary", "idf", "table", "series"):
            (folder / place / f"{name}.json").write_text(json.dumps({"learnt": name}))
    return folder


def _of(modality, **extract):
    return {"kind": modality, "column": "c", "extract": extract}


DOCUMENTS = {
    "text": {"kind": "text", "column": "c"},
    "text bpe": _of("text", kind="tokens", algorithm="bpe", vocabulary=300),
    "text ready": _of("text", kind="tokens", tokenizer=MODEL),
    "text redacted": _of("text", kind="bow") | {"clean": {"redact": ["email", "phone"]}},
    "text hashing": _of("text", kind="bow", vocabulary=64, hashing=True),
    "text tfidf": _of("text", kind="tfidf", vocabulary=9),
    "text tfidf hashing": _of("text", kind="tfidf", hashing=True),
    "text files": _of("text", kind="tfidf") | {"payload": "file", "clean": {"encoding": "big5"}},
    "text vectors": _of("text", kind="word_vectors", path="{files}/vectors.txt"),
    "text sequence": _of(
        "text", kind="word_vectors", path="{files}/vectors.txt", pooling="sequence"
    ),
    "text hf": _of("text", kind="hf_text", model=MODEL, batch_size=3, dim=8),
    "text windows": _of(
        "text", kind="hf_text", model=MODEL, long_text="windows", pooling="mean", layer=1
    ),
    "text custom": _of("text", kind="custom", factory="not_installed:build"),
    "image": {"kind": "image", "column": "c"},
    "image pixels": _of("image", kind="pixels", height=24, width=32)
    | {"decode": {"crop": "none", "draft": "never"}},
    "image hf": _of("image", kind="hf_image", model=MODEL, batch_size=2),
    "image steps": _of("image", kind="hf_image", model=MODEL, pooling="sequence", steps=3, dim=8),
    "image custom": _of("image", kind="custom", factory="not_installed:build"),
    "audio": {"kind": "audio", "column": "c"},
    "audio statistics": _of("audio", kind="mfcc", pooling="statistics", deltas=2),
    "audio windows": _of("audio", kind="log_mel", pooling="mean")
    | {"decode": {"windows": {"length_s": 1, "hop_s": 0.5}, "combine": "sequence"}},
    "audio waveform": _of("audio", kind="waveform", max_samples=99)
    | {"decode": {"denoise": "spectral", "high_pass_hz": 50}},
    "audio hf": _of("audio", kind="hf_audio", model=MODEL, dim=8),
    "audio spoken bow": _of(
        "audio", kind="transcript", model=MODEL, batch_size=2, text={"extract": {"kind": "bow"}}
    ),
    "audio spoken hashing": _of(
        "audio", kind="transcript", model=MODEL,
        text={"extract": {"kind": "bow", "hashing": True}, "clean": {"redact": ["email"]}},
    ),
    "audio custom": _of("audio", kind="custom", factory="not_installed:build"),
    "video": {"kind": "video", "column": "c"},
    "video threads": {"kind": "video", "column": "c", "decode": {"threads": 4}},
    "video rate": _of("video", kind="frames", height=24, width=32)
    | {"decode": {"sampling": {"kind": "rate", "per_second": 2}, "frames": 4}},
    "video frames": _of("video", kind="hf_image", model=MODEL, pooling="mean", batch_size=2),
    "video hf": _of("video", kind="hf_video", model=MODEL),
    "video custom": _of("video", kind="custom", factory="not_installed:build"),
    "table": {"kind": "table", "numbers": ["age"]},
    "table columns": {
        "kind": "table", "numbers": [{"column": "age", "scale": "quantile"}],
        "categories": ["sex"], "dates": [{"column": "day", "format": "unix_s"}],
        "sequences": [{"column": "tracks", "vocabulary": 9}], "missing": ["NA"],
        "extract": {"kind": "table_vector", "impute": "mean", "weighting": "recent"},
    },
    "series": {"kind": "series", "column": "c"},
    "series raw": _of("series", kind="raw", max_steps=9)
    | {
        "decode": {
            "columns": ["a", 1], "time": "t", "rate_hz": 5, "windows": {"length": 4, "hop": 2},
        }
    },
    "series custom": _of("series", kind="custom", factory="not_installed:build"),
    "table custom": {
        "kind": "table", "numbers": ["age"],
        "extract": {"kind": "custom", "factory": "not_installed:build"},
    },
}  # fmt: skip

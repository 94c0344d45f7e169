"""Every text extractor, for the contract; braces name a checkpoint of tests.support."""

PAYLOADS = [
    b"a cat", "一只猫 sat".encode(), b"the quick brown fox " * 20, b"x", b"hello world again",
]  # fmt: skip
EXTRACTS = {
    "tokens": {"kind": "tokens", "vocabulary": 90, "max_tokens": 12},
    "tokens bpe": {"kind": "tokens", "algorithm": "bpe", "vocabulary": 300, "max_tokens": 12},
    "ready tokens": {"kind": "tokens", "tokenizer": "{bert}", "max_tokens": 12},
    "bow": {"kind": "bow", "vocabulary": 30},
    "bow hashing": {"kind": "bow", "vocabulary": 64, "hashing": True},
    "tfidf": {"kind": "tfidf", "vocabulary": 30},
    "tfidf hashing": {"kind": "tfidf", "vocabulary": 64, "hashing": True},
    "word_vectors": {"kind": "word_vectors", "path": "{vectors}"},
    "word_vectors sequence": {"kind": "word_vectors", "path": "{vectors}", "pooling": "sequence"},
    "hf_text cls": {"kind": "hf_text", "model": "{bert}", "max_tokens": 32},
    "hf_text mean": {
        "kind": "hf_text", "model": "{bert}", "max_tokens": 32, "pooling": "mean", "batch_size": 2,
    },
    "hf_text max": {
        "kind": "hf_text", "model": "{bert}", "max_tokens": 32, "pooling": "max", "layer": 1,
    },
    "hf_text sequence": {
        "kind": "hf_text", "model": "{bert}", "max_tokens": 32, "pooling": "sequence",
    },
    "hf_text windows": {
        "kind": "hf_text", "model": "{bert}", "max_tokens": 12, "long_text": "windows",
        "overlap": 3, "pooling": "mean", "normalise": True,
    },
    "hf_text clip": {"kind": "hf_text", "model": "{clip}", "max_tokens": 24},
    "hf_text siglip": {"kind": "hf_text", "model": "{siglip}", "max_tokens": 16},
    "hf_text t5": {"kind": "hf_text", "model": "{t5}", "pooling": "mean"},
    "hf_text roberta": {
        "kind": "hf_text", "model": "{roberta}", "max_tokens": 32, "long_text": "windows",
        "pooling": "max",
    },
}  # fmt: skip

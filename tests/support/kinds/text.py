"""Every text extractor, for the contract; braces name a checkpoint of tests.support.checkpoint."""

PAYLOADS = [
    b"a cat", "一只猫 sat".encode(), b"the quick brown fox " * 20, b"x", b"hello world again",
]  # fmt: skip
EXTRACTS = {
    "tokens": {"kind": "tokens", "vocabulary": 90, "max_tokens": 12},
    "ready tokens": {"kind": "tokens", "tokenizer": "{bert}", "max_tokens": 12},
    "bow": {"kind": "bow", "vocabulary": 30},
    "hf_text cls": {"kind": "hf_text", "model": "{bert}", "max_tokens": 32},
    "hf_text mean": {
        "kind": "hf_text", "model": "{bert}", "max_tokens": 32, "pooling": "mean", "batch_size": 2,
    },
    "hf_text sequence": {
        "kind": "hf_text", "model": "{bert}", "max_tokens": 32, "pooling": "sequence",
    },
}  # fmt: skip

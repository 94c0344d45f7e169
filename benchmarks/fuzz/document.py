"""Documents that are damaged as text, as bytes, or as trees."""

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from benchmarks.fuzz.oddity import odd_text, odd_tree
from benchmarks.fuzz.subject import Subject
from benchmarks.mutation import mutate
from mmray.config.reading.load import load_config, resolved
from mmray.config.reading.problem import json_schema
from mmray.inspection.check import check

CONFIGS = Path(__file__).parents[2] / "workflows" / "configs"
EVERYTHING = """\
name: pets
workspace: work
data:
  manifest: manifest.jsonl
  split: {train: 0.6, val: 0.2, test: 0.2, seed: 3}
  allow: ['s3://pets/', /data]
modalities:
  text: {column: note, clean: {redact: [email]}, extract: {kind: bow, hashing: true}}
  image: {column: photo, extract: {kind: pixels, height: 32, width: 32}, encode: {kind: cnn}}
  audio: {column: speech, extract: {kind: mfcc, coefficients: 20}, encode: {kind: lstm}}
  video: {column: clip, extract: {kind: frames}, encode: {kind: cnn}}
  table:
    numbers: [age, {column: weight}]
    categories: [sex]
    dates: [{column: born, format: iso}]
    sequences: [played]
tasks:
  animal: {kind: classification, column: label, loss: {kind: cross_entropy, label_smoothing: 0.1}}
  score: {kind: regression, column: score, weight: 0.5}
  tags: {kind: multilabel, column: tags}
model: {width: 32, fusion: {kind: gated, temperature: 1.5}, modality_dropout: 0.1}
train: {epochs: 2, batch_size: 8, lr: 1e-3, early_stop: {metric: val/animal/f1_macro}}
search:
  trials: 3
  space:
    train.lr: {loguniform: [1.0e-5, 1.0e-2]}
    model.fusion: {choice: {concat: {kind: concat}, gated: {kind: gated}}}
runtime: {mode: local, resources: {image: {actors: 1}}}
tracking: {uri: memory://}
"""
ROWS = [
    {
        "note": f"a grey {animal} {number}", "photo": None, "speech": None, "clip": "",
        "age": number, "weight": 1.5, "sex": "f", "born": "2024-05-31", "played": ["a", "b"],
        "label": animal, "score": 0.5 * number, "tags": ["x", "y"][: number % 3],
    }
    for number, animal in enumerate(["cat", "dog"] * 12)
]  # fmt: skip


def document_subject() -> Subject:
    """Return documents: one with all that there is, and those that come with the project."""
    json_schema()  # made once here, and not by every child
    texts = [EVERYTHING, *(path.read_text("utf-8") for path in sorted(CONFIGS.glob("*.yaml")))]
    return Subject("document", partial(_break, texts), _use)


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write a manifest."""
    folder.mkdir(exist_ok=True)
    lines = "\n".join(json.dumps(row) for row in rows)
    (folder / "manifest.jsonl").write_text(lines, "utf-8")


def _break(texts: list[str], folder: Path, seed: int) -> str:
    write_rows(folder, ROWS)
    # Most are that with everything in it, whose manifest is there.
    text = texts[seed // 5 % len(texts)] if seed % 5 == 0 else texts[0]
    way, content = _changed(text, seed)
    (folder / "pets.yaml").write_bytes(content)
    return way


def _changed(text: str, seed: int) -> tuple[str, bytes]:
    match seed % 4 if seed >= 0 else 4:
        case 0:
            return "text", odd_text(text, seed).encode(errors="surrogatepass")
        case 1 | 3:
            return "tree", json.dumps(odd_tree(yaml.safe_load(text), seed), indent=1).encode()
        case 2:
            return "bytes", mutate(text.encode(), seed)
        case _:
            return "nothing", EVERYTHING.encode()


def _use(folder: Path) -> Any:
    """Check it, as 'mmray check' does; the manifest is there for one of them."""
    os.chdir(folder)
    config = load_config(Path("pets.yaml"))
    resolved(config)
    return check(config).counts["samples"]

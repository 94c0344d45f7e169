"""A small document and manifests for it."""

import json

from mmray.config.reading.load import check_document


def make_document(**sections):
    return {
        "name": "pets",
        "data": {"manifest": "manifest.jsonl"},
        "modalities": {"text": {"column": "note"}},
        "tasks": {"animal": {"kind": "classification", "column": "label"}},
    } | sections


def make_config(**sections):
    return check_document(make_document(**sections), where="pets.yaml")


def write_lines(path, rows):
    """Write a .jsonl manifest; a row that is text already is written as it stands."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path

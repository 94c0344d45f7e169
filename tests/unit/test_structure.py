"""What the layout promises: one name per class, rooms and files that can be overseen."""

import ast
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.support.private_use import private_uses

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "mmray").rglob("*.py"))
MOST_FILES, MOST_LINES = 16, 320


def shown(path):
    return path.relative_to(ROOT).as_posix()


def test_no_two_public_classes_have_one_name():
    places = defaultdict(list)
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(shown(path))

    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_no_room_has_more_files_than_can_be_overseen():
    rooms = Counter(shown(path.parent) for path in FILES if path.name != "__init__.py")

    assert {room: files for room, files in rooms.items() if files > MOST_FILES} == {}


def test_no_file_is_longer_than_can_be_read_in_one_go():
    lines = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}

    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


@pytest.mark.parametrize("library", ["mlflow", "transformers"])
def test_private_parts_of_a_library_are_touched_in_one_file_at_most(library):
    found = {shown(path): lines for path in FILES if (lines := private_uses(path, library))}

    assert len(found) <= 1, found

"""What of a user's own code a feature's fingerprint sees."""

import sys

import pytest

from mmray.features.custom import custom_code, custom_digest


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package whose factory imports one neighbour, which imports another, and not the third."""
    folder = tmp_path / "sounds"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "make.py").write_text("import json\nfrom sounds import near\n")
    (folder / "near.py").write_text("from .inner.far import value\n")
    (folder / "inner" / "__init__.py").write_text("")
    (folder / "inner" / "far.py").write_text("value = 1\n")
    (folder / "beside.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "sounds"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("file", "counts"),
    [("make.py", True), ("near.py", True), ("inner/far.py", True), ("beside.py", False)],
)
def test_the_factory_s_file_and_what_it_imports_of_its_package_count(package, file, counts):
    before = custom_digest("sounds.make:build")

    (package / file).write_text("value = 2\n")

    assert (custom_digest("sounds.make:build") != before) == counts


def test_a_module_in_no_package_counts_with_its_neighbours(tmp_path, monkeypatch):
    (tmp_path / "lone_maker.py").write_text("import lone_helper\nimport numpy\n")
    (tmp_path / "lone_helper.py").write_text("a = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = custom_digest("lone_maker:build")

    (tmp_path / "lone_helper.py").write_text("a = 2\n")

    assert custom_digest("lone_maker:build") != before


def test_a_module_that_is_not_there_has_no_digest():
    assert custom_digest("no_such_module:build") == ""


def test_what_to_take_along_is_the_package_or_the_file_and_nothing_installed(
    package, tmp_path, monkeypatch
):
    (tmp_path / "lone_maker.py").write_text("")

    assert custom_code("sounds.make:build") == package
    assert custom_code("lone_maker:build") == tmp_path / "lone_maker.py"
    assert custom_code("numpy.linalg:norm") is None

"""The documentation is true: examples run, documents are valid, commands and files exist."""

import doctest
import importlib.util
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import typer
from PIL import Image

from mmray.cli.app import app
from mmray.config.document import Config
from mmray.config.modality.image import ImageConfig
from mmray.config.reading.load import check_document
from mmray.config.reading.reader import parse_yaml
from mmray.features.build import build_extractor
from mmray.features.extractor import extract_batch
from tests.support.bundle import MODALITIES, make_bundle
from tests.support.document import make_document
from tests.support.extraction import Corpus, notes

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks/RESULTS.md"]
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.M | re.S)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)
BASE = {
    "modalities": {
        "text": {"column": "note"},
        "image": {"column": "photo"},
        "audio": {"column": "speech"},
    },
    "tasks": {"label": {"kind": "classification", "column": "label"}},
}
TASKS = {
    "digit": {"kind": "classification", "column": "label"},
    "label": {"kind": "classification", "column": "label"},
    "space": {"kind": "alignment", "size": 4},
}


def page_name(page):
    return str(page.relative_to(ROOT))


def blocks(page, *languages):
    """The code blocks of a page in one of these languages, without their indentation."""
    for indent, language, code in FENCE.findall(page.read_text(encoding="utf-8")):
        if language in languages:
            yield re.sub(rf"^{indent}", "", code, flags=re.M)


def spans(page):
    """What a page sets in code: the lines of its consoles, and its inline code."""
    for code in blocks(page, "console"):
        joined = code.replace("\\\n", " ")
        yield from (line[2:] for line in joined.splitlines() if line.startswith("$ "))
    yield from CODE.findall(FENCE.sub("", page.read_text(encoding="utf-8")))


def commands():
    """Every command by name, with its options."""
    found = {}

    def walk(prefix, group):
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                walk(f"{prefix}{name} ", command)
            else:
                opts = [o for p in command.params for o in (*p.opts, *p.secondary_opts)]
                found[f"{prefix}{name}"] = {"--help", *opts}

    walk("", typer.main.get_command(app))
    return found


def anchors(page):
    """The anchors of a page's headings, as the site names them."""
    titles = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    plain = [re.sub(r"[^\w\s-]", "", title).strip().lower() for title in titles]
    return {re.sub(r"[\s-]+", "-", title) for title in plain}


EXAMPLES = [
    pytest.param(code, id=f"{page_name(page)}-{number}")
    for page in PAGES
    for number, code in enumerate(blocks(page, "yaml"))
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_every_document_that_the_docs_show_is_valid(code):
    shown = parse_yaml(code)

    sections = shown if set(shown) <= set(Config.model_fields) else {"modalities": shown}
    complete = make_document(**(BASE | sections))

    assert check_document(complete, where="docs").name == complete["name"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with what the examples name: bundles, pictures, and features."""
    folder = tmp_path_factory.mktemp("docs")
    modalities = {name: MODALITIES[name] for name in ("text", "image")}
    for name in ("work", "demo"):
        (folder / name).mkdir()
        make_bundle(folder / name / "model", modalities=modalities, tasks=TASKS)
    for place in (".", "photos", "demo/corpus/photos"):
        (folder / place).mkdir(parents=True, exist_ok=True)
        for file in ("new.jpg", "a.jpg", "s0002.jpg"):
            Image.new("RGB", (20, 20), "red").save(folder / place / file)
    (folder / "corpus").mkdir()
    corpus = Corpus(folder / "corpus", notes(20), text={"column": "note"})
    corpus.extract()
    return folder, corpus.folders()["text"]


@pytest.fixture
def names(home, monkeypatch):
    """What the examples take for given."""
    folder, features = home
    monkeypatch.chdir(folder)
    frame = pd.DataFrame({"photo": ["a.jpg"], "note": ["barks"]})
    return {"frame": frame, "paths": ["a.jpg", "new.jpg"], "folder": features, "shape": (64,)}


@pytest.mark.parametrize(
    "page", [p for p in PAGES if any(blocks(p, "python", "pycon"))], ids=page_name
)
def test_every_python_example_of_a_page_runs(page, names):
    for code in blocks(page, "python", "pycon"):
        if ">>>" in code:
            example = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), 0)
            runner = doctest.DocTestRunner(verbose=False)
            assert not runner.run(example, clear_globs=False).failed, code
        else:
            exec(compile(code, str(page), "exec"), names)


def test_the_parts_that_the_docs_show_keep_their_contracts(names, monkeypatch):
    module = type(doctest)("shown_parts")
    for code in blocks(ROOT / "docs/how-to/custom.md", "python"):
        exec(code, module.__dict__)
    monkeypatch.setitem(__import__("sys").modules, "shown_parts", module)
    extract = {"kind": "custom", "factory": "shown_parts:brightness", "options": {"bins": 4}}
    photo = (names["folder"].parents[4] / "photos" / "a.jpg").read_bytes()

    config = ImageConfig(column="photo", extract=extract)
    batch = extract_batch(build_extractor(config, None), [photo, b"no picture"])
    fused = module.mean_fusion(2, 3)(torch.ones(2, 2, 3), torch.tensor([[True, False]] * 2))
    encoded = module.flat(build_extractor(config, None).spec, 3)(torch.ones(2, 4), None)

    assert batch.features[0].shape == (4,)
    assert np.isclose(batch.features[0].sum() * 64, 1.0)
    assert batch.reasons == ["", "image_broken"]
    assert fused.tolist() == [[1.0] * 3] * 2
    assert encoded.pooled.shape == (2, 3)


MODULES = [path for path in (ROOT / "mmray").rglob("*.py") if ">>> " in path.read_text("utf-8")]


@pytest.mark.parametrize("path", MODULES, ids=page_name)
def test_every_example_of_a_docstring_runs(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)

    result = doctest.testmod(importlib.import_module(name))

    assert result.attempted > 0
    assert not result.failed


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_command_that_a_page_names_exists(page):
    known = commands()
    for code in spans(page):
        words = shlex.split(code.split(" #")[0], posix=True) if code.startswith("mmray ") else []
        words = words[: words.index("|")] if "|" in words else words
        if not words or not re.fullmatch(r"[a-z]+", words[1]) or words[1] in ("mmray",):
            continue
        verb = next((v for v in (" ".join(words[1:3]), words[1]) if v in known), None)
        options = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}

        assert verb is not None, code
        assert options <= known[verb], code


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_program_and_target_that_a_page_names_exists(page):
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    for code in spans(page):
        for module in re.findall(r"python -m (benchmarks[\w.]*)", code):
            assert importlib.util.find_spec(module), code
        for program in re.findall(r"python (workflows/\S+\.py)", code):
            assert (ROOT / program).is_file(), code
        for target in re.findall(r"^make (\w+)", code):
            assert target in targets, code
        for file in re.findall(r"^(?:workflows|tests|benchmarks|deploy)/[\w./-]+$", code):
            assert (ROOT / file).exists(), code


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_of_a_page_leads_somewhere(page):
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        shown = ROOT / "benchmarks/RESULTS.md" if target.name == "measurements.md" else target
        if anchor and "generated" not in target.read_text("utf-8").partition(anchor)[2]:
            assert anchor in anchors(shown), link


@pytest.fixture(scope="module")
def generated():
    """The module that generates parts of the site."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_has_every_key_of_the_document(generated):
    text = generated.document_keys()
    definitions = Config.model_json_schema()["$defs"]

    keys = {
        key
        for section in definitions.values()
        for key, node in section.get("properties", {}).items()
        if "const" not in node
    }

    assert {key for key in keys if f"| `{key}` |" not in text} == set()


def test_the_reference_has_every_command_and_its_own_options(generated):
    text = generated.commands()

    assert {name for name in commands() if f"### mmray {name}\n" not in text} == set()
    assert "`--retry`" in text
    assert "`--trust`" in text


def test_the_markers_of_generated_parts_are_replaced(generated):
    for page in PAGES:
        shown = generated.on_page_markdown(page.read_text(encoding="utf-8"))

        assert "<!-- generated" not in shown, page

"""Documents that nobody would write, but somebody might send."""

import os
from pathlib import Path

import pytest

from mmray.config.reading.load import check_document, load_config
from mmray.errors import ConfigError
from tests.support.document import make_document


def tenfold(levels, opening, closing):
    """Aliases of aliases: a few hundred bytes that stand for 10 ** levels values."""
    lines = ["a0: &a0 {x: 1}"]
    for n in range(1, levels + 1):
        lines.append(f"a{n}: &a{n} {opening}{', '.join([f'*a{n - 1}'] * 10)}{closing}")
    return "\n".join(lines)


CHAIN = "\n".join(["a0: &a0 x", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000))])
TEXTS = {
    "flow": ("a: " + "[" * 200_000, "more than 64 levels"),
    "flow mapping": ("a: " + "{a: " * 20_000, "more than 64 levels"),
    "blocks": ("- " * 50_000, "more than 64 levels"),
    "chain": (CHAIN, "more than 64 levels"),
    "bomb": (tenfold(12, "[", "]"), "more than 100,000 values"),
    "merged bomb": (tenfold(12, "{<<: [", "]}"), "more than 100,000 values"),
    "circle": ("a: &a [*a]", "this alias refers to a value that contains it"),
    "digits": ("a: " + "9" * 5000, "cannot be read: Exceeds the limit"),
    "base 60": ("a: " + "1:" * 3000 + "1", "a: more than 64 bits"),
    "base 16": ("a: 0x" + "f" * 6000, "a: more than 64 bits"),
    "key": ("? 0x" + "f" * 6000 + "\n: a", "a key of more than 64 bits"),
    "date": ("a: 2024-13-01", "'2024-13-01' cannot be read: month must be in 1..12"),
    "boolean": ("a: !!bool x", "'x' cannot be read"),
    "null byte": ("a: b\0", "special characters are not allowed"),
    "null escape": ('a: {b: ["\\0"]}', "a.b.0: a null character"),
    "surrogate": ('a: "\\ud800"', "a: half of a character"),
    "python": ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
    "long key": ("x" * 900_000 + ": 1", "not valid YAML"),
    "long value": ("name: " + "x" * 900_000, "the key 'data' is missing"),
    "large": ("#" * (2**20 + 1), "larger than the limit of 1,048,576 bytes"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_it_is_an_error_at_once_that_says_what_is_wrong(tmp_path, name):
    text, words = TEXTS[name]
    (tmp_path / "pets.yaml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "pets.yaml")

    assert words in str(caught.value)
    assert "pets.yaml" in caught.value.where
    assert len(str(caught.value)) < 1000


def test_what_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")

    for path, kind in [(tmp_path / "pipe.yaml", "a pipe"), (Path("/dev/zero"), "a device"),
                       (tmp_path, "a folder")]:  # fmt: skip
        with pytest.raises(ConfigError, match=f"is not a regular file but {kind}"):
            load_config(path)
    with pytest.raises(ConfigError, match="there is no document"):
        load_config(Path("a\0b.yaml"))


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan"])
def test_a_number_that_is_not_finite_is_refused(tmp_path, number):
    with pytest.raises(ConfigError, match=r"train.lr: Input should be a finite number"):
        check_document(make_document(train={"lr": float(number.replace(".", ""))}), where="x")


def test_a_document_from_elsewhere_may_not_be_deep_either():
    deep = value = {}
    for _ in range(500):
        value["a"] = value = {}

    with pytest.raises(ConfigError, match="more than 64 levels"):
        check_document(make_document(name=deep), where="bundle.json")

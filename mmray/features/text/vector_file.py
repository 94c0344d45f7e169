"""Files of word vectors: word2vec (text, binary), GloVe and fastText ``.vec``, plain or gzipped.

Axes: N words, F numbers per word.
"""

import gzip
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import numpy as np
import numpy.typing as npt

from mmray.errors import ConfigError

Vectors = npt.NDArray[np.float32]
_LONGEST_LINE = 2**20
_LONGEST_WORD = 2**12
_FASTTEXT_MODEL = (793712314).to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class VectorHeader:
    """What the beginning of a file says about all of it."""

    dim: int
    is_counted: bool
    """Whether the first line holds the two counts, and not yet a word."""
    is_binary: bool


def read_vector_header(path: Path) -> VectorHeader:
    """Read the first two lines and no more."""
    with _opened(path) as stream:
        first = stream.readline(_LONGEST_LINE)
        second = stream.readline(_LONGEST_LINE)
    if first.startswith(_FASTTEXT_MODEL):
        _refuse(path, "is a fastText model", "give its .vec file")
    fields = first.split()
    if len(fields) == 2 and all(field.isdigit() for field in fields) and int(fields[1]) > 0:
        dim = int(fields[1])
        return VectorHeader(dim, is_counted=True, is_binary=not _is_row(second, dim))
    if len(fields) < 2 or not _is_row(first, len(fields) - 1):
        _refuse(path, "has no word vectors", "it needs a word and its numbers per line, or binary")
    return VectorHeader(len(fields) - 1, is_counted=False, is_binary=False)


def read_vectors(path: Path, limit: int) -> tuple[list[str], Vectors]:
    """Return the words of the first ``limit`` rows and their ``(N, F)`` float32 vectors.

    Of a word that stands there twice the first row counts; a word with a space in it is left out.
    """
    header = read_vector_header(path)
    rows: dict[str, int] = {}
    numbers = bytearray()  # grows in place, so that the vectors are never held twice
    with _opened(path) as stream:
        if header.is_counted:
            stream.readline(_LONGEST_LINE)
        read = _binary_rows if header.is_binary else _text_rows
        for word, vector in islice(read(path, stream, header.dim), limit):
            if word and vector is not None and word not in rows:
                rows[word] = len(rows)
                numbers += vector.tobytes()
    vectors = np.frombuffer(numbers, dtype=np.float32).reshape(-1, header.dim)  # (N, F)
    if not rows or not np.isfinite(vectors).all():
        _refuse(path, "has no vectors, or some that are not finite", "download it again")
    return list(rows), vectors


def write_vectors(path: Path, words: Sequence[str], vectors: Vectors) -> None:
    """Write word2vec's binary form."""
    with path.open("wb") as stream:
        stream.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        for word, vector in zip(words, vectors, strict=True):
            stream.write(word.encode() + b" " + vector.tobytes() + b"\n")


def _text_rows(path: Path, stream: BinaryIO, dim: int) -> Iterator[tuple[str, Vectors | None]]:
    for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), start=1):
        fields = line.split()
        if len(fields) <= dim and fields:
            _refuse(path, f"has {len(fields) - 1} numbers in row {number}, not {dim}", "fix it")
        if len(fields) != dim + 1:
            yield "", None
            continue
        try:
            vector = np.fromiter(map(float, fields[1:]), np.float32, dim)  # (F,)
        except ValueError as error:
            _refuse(path, f"has a row {number} that is not a vector: {error}", "fix it")
        yield fields[0].decode(errors="replace"), vector


def _binary_rows(path: Path, stream: BinaryIO, dim: int) -> Iterator[tuple[str, Vectors]]:
    while word := _binary_word(path, stream):
        numbers = stream.read(4 * dim)
        if len(numbers) < 4 * dim:
            _refuse(path, f"ends inside the vector of {word!r}", "download it again")
        yield word, np.frombuffer(numbers, dtype="<f4")


def _binary_word(path: Path, stream: BinaryIO) -> str:
    """Return the bytes up to the next space; nothing at the end of the file."""
    word = bytearray()
    while (byte := stream.read(1)) not in (b" ", b""):
        if byte != b"\n":  # which some programs write after each vector
            word += byte
        if len(word) > _LONGEST_WORD:
            _refuse(path, "has a word without an end", "is it word2vec's binary form?")
    return word.decode(errors="replace")


def _is_row(line: bytes, dim: int) -> bool:
    """Return whether a line is a word and ``dim`` numbers."""
    fields = line.split()
    if len(fields) <= dim:
        return False
    try:
        return len([float(field) for field in fields[-dim:]]) == dim
    except ValueError:
        return False


@contextmanager
def _opened(path: Path) -> Generator[BinaryIO]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            yield cast("BinaryIO", stream)
    except (OSError, EOFError) as error:
        raise ConfigError(
            f"cannot read word vectors from {str(path)!r}: {error}",
            hint="set extract.path to a file of word2vec, GloVe or fastText (.vec)",
        ) from None


def _refuse(path: Path, problem: str, hint: str) -> NoReturn:
    raise ConfigError(f"the file {str(path)!r} {problem}", hint=hint)

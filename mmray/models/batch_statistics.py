"""Encoders that normalise by statistics of the batch. Axes: B batch, T tokens, D width."""

import contextlib
from collections.abc import Generator, Sequence

from jaxtyping import Bool
from torch import Tensor, nn

from mmray.models.encoders.encoded import Encoded
from mmray.models.feature_batch import FeatureBatch

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


def encode_present(encoder: nn.Module, batch: FeatureBatch, present: Bool[Tensor, " B"]) -> Encoded:
    """Encode a batch so that the placeholders of absent payloads enter no statistics.

    Only in training, and only where the encoder takes statistics of the batch: it then sees the
    present rows alone, and the others are zeros. With fewer than two, it uses its running ones.
    """
    norms = learning_norms(encoder)
    count = int(present.sum()) if norms else len(present)
    if count == len(present):
        return encoder(*batch)
    if count < 2:
        with _as_they_are(norms):
            return encoder(*batch)
    lengths = None if batch.lengths is None else batch.lengths[present]
    return Encoded(*(_put_back(part, present) for part in encoder(batch.values[present], lengths)))


def learning_norms(module: nn.Module) -> list[BatchNorm]:
    """Return the batch normalisations that now take statistics of the batch."""
    return [each for each in module.modules() if isinstance(each, BatchNorm) and each.training]


def _put_back(rows: Tensor, present: Bool[Tensor, " B"]) -> Tensor:
    whole = rows.new_zeros(len(present), *rows.shape[1:])
    return whole.index_put((present,), rows)


@contextlib.contextmanager
def _as_they_are(norms: Sequence[BatchNorm]) -> Generator[None]:
    """Let normalisations use their running statistics without updating them."""
    for norm in norms:
        norm.training = False
    try:
        yield
    finally:
        for norm in norms:
            norm.training = True

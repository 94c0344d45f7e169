"""Where the samples are, and how they are split."""

from typing import Literal, Self

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import Fraction, StrictModel

Layout = Literal["auto", "files", "folders", "webdataset", "huggingface"]


class SplitConfig(StrictModel):
    """Shares of train, val and test; or the column that says which sample is which."""

    train: NonNegativeFloat = 0.8
    """Share of the samples that the model is trained on."""
    val: NonNegativeFloat = 0.1
    """Share of the samples that early stopping and selection look at."""
    test: NonNegativeFloat = 0.1
    """Share of the samples that the model is evaluated on."""
    by: Literal["labels", "hash"] = "labels"
    """A sample's split follows from a hash of its id (or group), never from the order of rows.
    ``labels``: corrected so that splits have the requested sizes and their share of every class.
    ``hash``: not corrected, so new samples never move others."""
    group: str | None = None
    """Column whose value keeps samples together, for example a patient."""
    seed: NonNegativeInt = 7
    """Another seed gives another split."""
    column: str | None = None
    """Column that holds ``train``, ``val`` or ``test``; replaces the shares."""

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        total = self.train + self.val + self.test
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"train + val + test must be 1, not {total:g}")
        return self


class DataConfig(StrictModel):
    """The manifest, and what its references may point to."""

    manifest: str
    """A .jsonl, .csv or .parquet file, a folder of them, a folder per class, WebDataset tars, or a
    Hugging Face data set on disk; a local path or a URI (s3://, gs://, hdfs://, https://)."""
    layout: Layout = "auto"
    """How the samples are laid out. ``auto`` detects it, and refuses what could be read in two
    ways."""
    id: str | None = None
    """Column with a unique sample id; without it, ``sample_id`` where there is such a column, else
    a hash of the sample's payload references."""
    split: SplitConfig = SplitConfig()
    """Which samples train, select and evaluate the model."""
    allow: tuple[str, ...] = ()
    """Folders, or URI prefixes such as ``s3://bucket/``, that references may reach outside of the
    manifest's own folder. A web server in a private network must be listed by its address."""
    remote_version: Literal["none", "etag"] = "etag"
    """How a changed remote payload is noticed when features are extracted. ``etag``: by its ETag,
    else its date and size (one request per payload, or per thousand payloads of a bucket's folder).
    ``none``: not at all; the URI alone names the payload (no request)."""
    max_rejected_fraction: Fraction = 0.5
    """Largest share of a modality's payloads that may be rejected; beyond it extraction fails."""
    max_payload_bytes: PositiveInt = 256 * 2**20
    """A larger payload is rejected."""
    max_read_s: PositiveFloat = 60.0
    """A remote payload that takes longer to arrive is rejected; seconds."""
    max_decode_s: PositiveFloat = 60.0
    """A payload that takes longer to decode is rejected; seconds."""
    refit: Literal["auto", "always", "never"] = "auto"
    """Whether vocabularies and scales are fitted again when the train split changes, which computes
    all features of the modality again. ``auto``: when less than nine tenths of the payloads are the
    same. They are always fitted again when a payload that they were fitted on is in val or test
    now."""

"""The record that says all about one kind of modality, and the one of each of its extractors.

``C`` is the section of the modality in the document, ``E`` its ``extract`` section. A record lies
beside the code that it is about; ``kinds.py`` lists those of the kinds, and each of these its
extractors. Records load neither torch nor transformers: ``build`` imports what needs them.
"""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import filetype

from mmray.config.base import StrictModel
from mmray.config.modality.modality import ModalityConfig
from mmray.core.fingerprint import digest_file
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Decode, Extractor, Tally
from mmray.features.state import fitted_file

C = TypeVar("C", bound=ModalityConfig)
E = TypeVar("E", bound=StrictModel)

NOT_IN_IDENTITY = ("model", "tokenizer", "path", "batch_size", "dim")
"""Settings of an extractor that name what the identity holds by content, or change no feature."""


def decisive_settings(config: ModalityConfig) -> dict[str, Any]:
    """Return, as plain JSON, the settings that decide what the features are."""
    settings = config.model_dump(mode="json", include={"kind", "clean", "decode", "extract"})
    for key in NOT_IN_IDENTITY:
        settings["extract"].pop(key, None)
    return settings


def fit_settings(config: ModalityConfig, extract: object) -> dict[str, Any]:
    """Return, as plain JSON, the settings that determine the fitted state."""
    return config.model_dump(mode="json", exclude={"encode", "augment"})


def _no_identity(config: object, extract: object, state: object) -> dict[str, Any]:
    return {}


def _export_nothing(config: object, extract: object, state: object, folder: object) -> None:
    return


def _no_files(extract: object) -> tuple[str, ...]:
    return ()


def _same(extract: E, state: Path) -> E:
    return extract


def _no_tally(config: object) -> Tally | None:
    return None


def guessed_format(payload: bytes) -> str:
    """Name the format by the payload's first bytes, as a file extension; ``-`` when unknown."""
    if payload[128:132] == b"DICM":
        return "dcm"
    return filetype.guess_extension(payload[:8192]) or "-"


@dataclass(frozen=True, slots=True)
class TrainSplit:
    """The payloads that an extractor is fitted on."""

    payloads: Iterable[bytes]
    timeout_s: float
    """Limit of decoding one payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting(Generic[C, E]):
    """How an extractor is fitted on the train split."""

    needed: Callable[[E], bool]
    """Whether it is fitted with these settings."""
    run: Callable[[C, E, TrainSplit, Path], None]
    """Writes the fitted state into a folder; the same payloads give the same bytes."""
    file: str | None = None
    """The file of the state; None where ``identity`` and ``export`` of the extractor know it."""
    settings: Callable[[C, E], dict[str, Any]] = fit_settings
    """The settings that, with the payloads, determine the state; plain JSON."""
    spec: Callable[[C, E, Path], FeatureSpec] | None = None
    """Returns the spec of the built extractor where the state decides on a size."""
    network_decoder: Callable[[C], Decode] | None = None
    """The decoder for an extractor whose network reads the payloads, without fitted state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractorKind(Generic[C, E]):
    """All about one extractor."""

    config: type[E]
    version: int
    """Raised when its code, or its decoding, gives other features than before."""
    spec: Callable[[C, E], FeatureSpec]
    """Returns the spec from the settings, before any data is read."""
    build: Callable[[C, E, Path | None], Extractor]
    """Builds it; the folder holds what ``Fitting.run`` or ``export`` wrote."""
    fitting: Fitting[C, E] | None = None
    identity: Callable[[C, E, Path | None], dict[str, Any]] = _no_identity
    """Everything besides settings, version and ``Fitting.file`` that determines the features."""
    export: Callable[[C, E, Path | None, Path], None] = _export_nothing
    """Writes into a folder what ``build`` needs on another machine, beside ``Fitting.file``."""
    exported: Callable[[E], tuple[str, ...]] = _no_files
    """Files of ``export`` without which ``build`` would look for them in other places."""
    relocated: Callable[[E, Path], E] = _same
    """Points the settings at what ``export`` wrote into a folder, if it did."""
    libraries: tuple[str, ...] = ()
    """Packages that compute the features."""
    may_leave_process: bool = True
    """Whether its decoder can run in another process: a user's own may hold what cannot travel."""

    def fitted_name(self, extract: E) -> str | None:
        """Return the file of the fitted state with these settings, if there is one."""
        fitting = self.fitting
        return fitting.file if fitting is not None and fitting.needed(extract) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalityKind(Generic[C]):
    """All about one kind of modality."""

    kind: Kind
    config: type[C]
    extractors: tuple[ExtractorKind[C, Any], ...]
    libraries: tuple[str, ...]
    """Packages that decode the payloads."""
    guard: Literal["always", "long", "never"]
    """Which payloads are decoded in a process of their own: native code reads hostile bytes."""
    format_of: Callable[[bytes], str]
    """Names the format of a payload, for a person."""
    example: Callable[[C], dict[str, Any]]
    """Returns the cells of a made-up payload, by column, as a client would send them."""
    settings: Callable[[C], dict[str, Any]] = decisive_settings
    """The settings that determine the features; plain JSON."""
    tally: Callable[[C], Tally | None] = _no_tally
    """Returns what counts something of note in a decoded payload."""
    also_reads: frozenset[Kind] = frozenset()
    """Other kinds of file that hold such payloads: a film has sound."""

    def extractor(self, config: C) -> ExtractorKind[C, Any]:
        """Return the record of the extractor that the document names."""
        return next(each for each in self.extractors if each.config is type(config.extract))

    def spec(self, config: C) -> FeatureSpec:
        """Return the spec from the settings; the fitted state may make it smaller."""
        return self.extractor(config).spec(config, config.extract)

    def fitted_spec(self, config: C, state: Path | None) -> FeatureSpec:
        """Return the spec of the features: the declared one, or smaller by the fitted state."""
        extractor, extract = self.extractor(config), config.extract
        fitting = extractor.fitting
        if state is None or fitting is None or fitting.spec is None or not fitting.needed(extract):
            return extractor.spec(config, extract)
        return fitting.spec(config, extract, state)

    def build(self, config: C, state: Path | None) -> Extractor:
        """Build the extractor; what was exported to ``state`` comes before what is elsewhere."""
        config = self._relocated(config, state)
        return self.extractor(config).build(config, config.extract, state)

    def needs_fit(self, config: C) -> bool:
        """Return whether the extractor is fitted before it can be built."""
        fitting = self.extractor(config).fitting
        return fitting is not None and fitting.needed(config.extract)

    def fit(self, config: C, train: TrainSplit, folder: Path) -> None:
        """Fit the extractor, where it is fitted at all."""
        fitting = self.extractor(config).fitting
        if fitting is not None and fitting.needed(config.extract):
            fitting.run(config, config.extract, train, folder)

    def identity(self, config: C, state: Path | None) -> dict[str, Any]:
        """Return, as plain JSON, everything that decides what the features are."""
        return self.settings(config) | self.decided(config, state)

    def decided(self, config: C, state: Path | None) -> dict[str, Any]:
        """Return what beside the settings decides what the features are."""
        config = self._relocated(config, state)
        extractor, extract = self.extractor(config), config.extract
        found: dict[str, Any] = {"version": extractor.version}
        fitted = extractor.fitted_name(extract)
        if fitted is not None:
            found["fitted"] = digest_file(fitted_file(state, fitted))
        return found | extractor.identity(config, extract, state)

    def export(self, config: C, state: Path | None, folder: Path) -> None:
        """Write into ``folder`` what ``build`` needs on another machine."""
        config = self._relocated(config, state)
        extractor, extract = self.extractor(config), config.extract
        fitted = extractor.fitted_name(extract)
        if fitted is not None:
            shutil.copyfile(fitted_file(state, fitted), folder / fitted)
        extractor.export(config, extract, state, folder)

    def exported(self, config: C) -> tuple[str, ...]:
        """Return the files of ``export`` that come from elsewhere."""
        return self.extractor(config).exported(config.extract)

    def _relocated(self, config: C, state: Path | None) -> C:
        if state is None:
            return config
        extract: StrictModel = self.extractor(config).relocated(config.extract, state)
        return config.model_copy(update={"extract": extract})

"""Splits with the sizes asked for and every class in its share. Axes: U units, L labels, S splits.

A unit is a sample, or a group of samples that stay together. Each unit begins where its hash puts
it. Then, label by label from the rarest as in iterative stratification (Sechidis et al. 2011), the
move of one unit that lowers the cost most is made, until the label is where it belongs or no move
helps. The cost is Pearson's chi-squared of samples per label and split against those asked for:
small splits and rare labels weigh most. At last sizes count as much as all labels together.
"""

import numpy as np

from mmray.data.split.unit import SIZE, Floats, Ints, Units, by_hash

TRAIN = 0
TOLERANCE = 0.02
"""Samples of a label in a split from which on the hash alone decides."""


def stratify(units: Units, shares: Floats) -> Ints:
    """Return the split (U) of each unit, for the shares (S) of train, val and test."""
    if not len(units.positions):
        return np.zeros(0, np.int64)
    search = _Search(units, shares)
    search.bring_classes_to_train()
    search.fill_empty_splits()
    search.improve(size_weight=1.0)
    search.improve(size_weight=float(max(1, units.labels.max())))
    search.bring_classes_to_train()
    return search.split


class _Search:
    """Which unit is in which split, and what moving one would change."""

    def __init__(self, units: Units, shares: Floats) -> None:
        self._units = units
        self._active = np.flatnonzero(shares > 0)
        self.split = by_hash(units, shares)
        self._owners = np.repeat(np.arange(len(self.split)), np.diff(units.starts))
        self._by_label = np.argsort(units.labels, kind="stable")
        num_labels = int(units.labels.max()) + 1
        self._label_starts = np.searchsorted(
            units.labels[self._by_label], np.arange(num_labels + 1)
        )
        shape = (len(shares), num_labels)
        cells = self.split[self._owners] * num_labels + units.labels
        counts = np.bincount(cells, units.samples, shares.size * num_labels)
        self._units_of = np.bincount(cells, minlength=shares.size * num_labels).reshape(shape)
        totals = counts.reshape(shape).sum(axis=0)
        self._target = np.outer(shares, totals)  # (S, L)
        self._excess = counts.reshape(shape) - self._target
        self._scale = np.divide(
            1.0, self._target, out=np.zeros(shape), where=self._target > 0
        )  # (S, L)
        rare_first = np.argsort(totals[1:], kind="stable") + 1
        self._size_weight = 1.0
        self._order = [*rare_first.tolist(), SIZE]

    def bring_classes_to_train(self) -> None:
        """Move the first unit of each class that train lacks there."""
        if TRAIN not in self._active:
            return
        is_there = self._units_of.any(axis=0)
        lacking = np.flatnonzero(is_there & (self._units_of[TRAIN] == 0))
        first = self._by_label[self._label_starts[lacking]]
        for unit in np.unique(self._owners[first]):
            self._move(int(unit), TRAIN)

    def fill_empty_splits(self) -> None:
        """Move into each empty split the unit that costs least, while there are enough units."""
        everyone = np.arange(len(self.split))
        for split in self._active:
            if self._units_of[split, SIZE] == 0:
                costs = self._costs(everyone)[split]  # (U)
                best = int(costs.argmin())
                if np.isfinite(costs[best]):
                    self._move(best, int(split))

    def improve(self, *, size_weight: float) -> None:
        """Make the moves that lower the cost, label by label."""
        self._size_weight = size_weight
        for label in self._order:
            if not self._is_off(label):
                continue
            start, end = self._label_starts[label : label + 2]
            members = self._owners[self._by_label[start:end]]
            for _ in members:  # more rounds than units would be going in circles
                if not (self._is_off(label) and self._improve_label(label, members)):
                    break

    def _is_off(self, label: int) -> bool:
        allowed = np.maximum(1.0, TOLERANCE * self._target[:, label])
        return bool((np.abs(self._excess[:, label]) >= allowed).any())

    def _improve_label(self, label: int, members: Ints) -> bool:
        """Make the best move, and others like it while far from the end; False if none helps."""
        members = members[self._excess[self.split[members], label] > 0]
        if not len(members):
            return False
        costs = self._costs(members)  # (S, U)
        costs[self._excess[:, label] >= 0] = np.inf
        best, to = divmod(int(costs.T.argmin()), len(costs))  # of equal ones, the first unit
        if not costs[to, best] < -1e-9:
            return False
        here = self.split[members[best]]
        alike = np.flatnonzero((self.split[members] == here) & (costs[to] < -1e-9))
        best_first = members[alike[np.argsort(costs[to, alike], kind="stable")]]
        wanted = float(min(self._excess[here, label], -self._excess[to, label])) / 2
        self._move_some(best_first, to, label, wanted)
        return True

    def _move_some(self, units: Ints, to: int, label: int, wanted: float) -> None:
        """Move the first unit, and others of other labels, up to ``wanted`` samples of the label.

        A second one of another label would no longer cost what it was reckoned to cost.
        """
        moved, used = 0.0, set[int]()
        for unit in units.tolist():
            cells = slice(*self._units.starts[unit : unit + 2])
            labels = self._units.labels[cells]
            size = self._units.samples[cells][labels == label].sum()
            if moved and moved + size > wanted:
                return
            others = set(labels.tolist()) - {label, SIZE}
            if used.isdisjoint(others):
                used |= others
                self._move(unit, to)
                moved += size

    def _costs(self, members: Ints) -> Floats:
        """Return (S, U) by how much each move changes the cost; infinite where it is forbidden."""
        starts, ends = self._units.starts[members], self._units.starts[members + 1]
        lengths = ends - starts
        offsets = np.cumsum(lengths) - lengths
        cells = np.arange(lengths.sum()) + np.repeat(starts - offsets, lengths)
        labels, samples = self._units.labels[cells], self._units.samples[cells]
        here = self.split[self._owners[cells]]
        weighted = samples * np.where(labels == SIZE, self._size_weight, 1.0)
        leaving = weighted * (samples - 2 * self._excess[here, labels]) * self._scale[here, labels]
        entering = weighted * (samples + 2 * self._excess[:, labels]) * self._scale[:, labels]
        costs = np.add.reduceat(entering + leaving, offsets, axis=1)  # (S, U)
        last = (here == TRAIN) & (self._units_of[TRAIN, labels] == 1)
        last |= (labels == SIZE) & (self._units_of[here, SIZE] == 1)
        costs[:, np.logical_or.reduceat(last, offsets)] = np.inf
        costs[self.split[members], np.arange(len(members))] = np.inf
        costs[np.setdiff1d(np.arange(len(costs)), self._active)] = np.inf
        return costs

    def _move(self, unit: int, split: int) -> None:
        cells = slice(*self._units.starts[unit : unit + 2])
        labels, samples, here = (
            self._units.labels[cells],
            self._units.samples[cells],
            self.split[unit],
        )
        self._excess[here, labels] -= samples
        self._excess[split, labels] += samples
        self._units_of[here, labels] -= 1
        self._units_of[split, labels] += 1
        self.split[unit] = split

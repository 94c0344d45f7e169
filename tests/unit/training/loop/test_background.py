import threading

import numpy as np
import pytest

from mmray.training.data.epoch import train_batches
from mmray.training.loop.background import Background, prefetched
from tests.support.sample import make_samples


class DiskError(Exception):
    pass


def test_batches_come_in_order_and_one_is_made_ahead():
    samples, made = make_samples(20), []

    def batches():
        for batch in train_batches(samples, np.arange(20), batch_size=4, rank=0, world=1):
            made.append(threading.current_thread().name)
            yield batch

    labels = [batch.labels["digit"].tolist() for batch in prefetched(batches(), pin=False)]

    assert [label for part in labels for label in part] == samples.labels["digit"].tolist()
    assert len(labels) == len(made) == 5
    assert threading.current_thread().name not in made


def test_what_goes_wrong_in_a_batch_is_raised_where_it_is_used():
    def batches():
        yield from train_batches(make_samples(4), np.arange(4), batch_size=2, rank=0, world=1)
        raise DiskError

    found = prefetched(batches(), pin=False)
    next(found)
    next(found)

    with pytest.raises(DiskError):
        next(found)


def test_work_in_the_background_is_done_in_order_and_waited_for():
    done, may_go_on = [], threading.Event()

    with Background() as background:
        background.begin(lambda: (may_go_on.wait(), done.append(1))[0])
        assert done == []
        may_go_on.set()
        background.begin(lambda: done.append(2))

    assert done == [1, 2]


def test_an_error_in_the_background_is_raised_at_the_latest_at_the_end():
    def fail():
        raise DiskError

    with pytest.raises(DiskError), Background() as background:
        background.begin(fail)


def test_work_is_waited_for_when_the_training_fails():
    done = []

    def fail_beside_work():
        with Background() as background:
            background.begin(lambda: done.append(1))
            raise DiskError

    with pytest.raises(DiskError):
        fail_beside_work()

    assert done == [1]

"""Are the gradients right? `pytest` asks, by the plugin that comes with rnn-crosscheck."""

import pytest
from my_lstm import subject


@pytest.mark.crosscheck("lstm")
def test_on_new_cases(case):
    return subject(case)


def test_on_the_golden_vectors(crosscheck_golden):
    crosscheck_golden("my_lstm.py:subject")

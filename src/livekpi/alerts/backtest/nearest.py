"""How near a rule came to what it waits for."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.alerts.judging.values import Reader, Want
from livekpi.definition.definition import Definition
from livekpi.definition.rules import Rule


def extreme(reader: Reader, definition: Definition, rule: Rule, from_us: int, to_us: int) -> float | None:
    """The value in [from, to) that came nearest to a simple threshold; None where the condition is of another kind."""
    threshold = rule.when.threshold
    if threshold is None or threshold.question.function != "value":
        return None
    want = Want(definition.kpis[threshold.question.kpi], np.arange(from_us, to_us, rule.every_us, dtype=np.int64))
    (values,) = reader.read(rule.by, rule.every_us, [want], []).arrays
    found: float | None = pc.min_max(values.cast(pa.float64()))["min" if threshold.sign[0] == "<" else "max"].as_py()
    return found

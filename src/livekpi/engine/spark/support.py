"""What of a definition Spark can't do. Its expressions it can do all: they are computed as embedded does."""

from livekpi.definition.definition import Definition
from livekpi.engine.java_kafka import untranslatable
from livekpi.engine.plan import Plan


def unsupported(definition: Definition, plan: Plan) -> list[str]:
    """Each thing that can't be done, with its source and what to do instead."""
    found = []
    for name in plan.groupings:
        spec = definition.sources[name].spec
        if spec.id is not None:
            found.append(f"engine spark, source {name}: `id: {spec.id}`: Spark drops no repeats; leave `id` out, or use embedded")
        if spec.kafka is not None:
            found += [
                f"engine spark, source {name}: `settings: {setting}` has no counterpart in Spark's Kafka client; leave it out"
                for setting in untranslatable(spec.kafka.settings)
            ]
    return found

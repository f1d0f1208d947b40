"""What the models of the definition file have in common."""

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.config import JsonDict


class Model(BaseModel):
    """What all parts of the file share: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_not_given(cls, given: object) -> object:
        """A key with nothing after it (``alerts:`` and all below it commented out) counts as not given."""
        if not isinstance(given, dict):
            return given
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: value for key, value in given.items() if value is not None or key not in known}


def one_of(*kinds: str) -> JsonDict:
    """What a JSON Schema says where exactly one key is to be given."""
    return {"oneOf": [{"required": [kind]} for kind in kinds]}

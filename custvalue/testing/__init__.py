"""Laws and contract checks for models, ours and third parties'."""

from custvalue.testing._purchase import check_purchase_model
from custvalue.testing._segmenter import check_segmenter
from custvalue.testing._spend import check_spend_model
from custvalue.testing._value import check_value_model, value_models

__all__ = [
    "check_purchase_model",
    "check_segmenter",
    "check_spend_model",
    "check_value_model",
    "value_models",
]

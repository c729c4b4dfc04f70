"""Laws and contract checks for models, ours and third parties'."""

from custvalue.testing._purchase import PURCHASE_LAWS, check_purchase_model, example_params
from custvalue.testing._segmenter import check_segmenter
from custvalue.testing._spend import SPEND_LAWS, check_spend_model, example_spend_params
from custvalue.testing._value import Shop, check_value_model, value_models

__all__ = [
    "PURCHASE_LAWS",
    "SPEND_LAWS",
    "Shop",
    "check_purchase_model",
    "check_segmenter",
    "check_spend_model",
    "check_value_model",
    "example_params",
    "example_spend_params",
    "value_models",
]

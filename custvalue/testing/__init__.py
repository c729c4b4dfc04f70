"""Laws and contract checks for models, ours and third parties'."""

from custvalue.testing._purchase import PURCHASE_LAWS, check_purchase_model, example_params

__all__ = ["PURCHASE_LAWS", "check_purchase_model", "example_params"]

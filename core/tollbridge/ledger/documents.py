"""Values of the rules as the JSON that the ledger keeps of them: money is text, with every digit."""

from decimal import Decimal

from cattrs.preconf.orjson import OrjsonConverter, make_converter


def _converter() -> OrjsonConverter:
    converter = make_converter(detailed_validation=False)
    converter.register_unstructure_hook(Decimal, lambda amount: f"{amount:f}")
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    return converter


documents = _converter()

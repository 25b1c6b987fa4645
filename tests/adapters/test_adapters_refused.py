"""An adapter that does not keep the contract is refused at start, with the name of the hook."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.acme import ACME, configure, module
from tests.world import World
from tollbridge import Client
from tollbridge.bridge import read_configuration
from tollbridge.conformance.side import MONTH
from tollbridge.errors import AdapterFault, ConfigError, TollbridgeError
from tollbridge.rules.calendar import Month

SETTINGS = '[adapter.settings]\nfile = "acme.json"'
REQUIRED = ["client", "clients", "currencies", "create_invoice", "find_invoice", "unpaid_invoices"]


def refusal(world: World, text: str, name: str = "AcmeAdapter", settings: str = SETTINGS) -> str:
    with pytest.raises(TollbridgeError) as caught:
        read_configuration(configure(world, f"{module(world.folder, text)}:{name}", settings))
    return str(caught.value)


def test_a_whole_adapter_is_accepted(world: World) -> None:
    _, billing = read_configuration(configure(world, f"{module(world.folder)}:AcmeAdapter", SETTINGS))
    assert billing.can("client")
    assert not billing.can("terms")


def test_a_hook_that_the_settings_leave_out_is_not_called(world: World) -> None:
    """The class has it, and the adapter that was made of the settings says why it cannot."""
    hook = """
    @hookimpl
    def {}(self, {}):
        raise AssertionError("called")
"""
    text = ACME.replace(
        "        self._file =",
        '        self.cannot = {"terms": "not here", "currencies": "nor these"}\n        self._file =',
    )
    text += hook.format("terms", "client") + hook.format("authenticate", "email, password")
    _, billing = read_configuration(configure(world, f"{module(world.folder, text)}:AcmeAdapter", SETTINGS))
    assert (billing.can("terms"), billing.cannot["terms"]) == (False, "not here")
    assert billing.terms(Client(1, "a@example.com", "USD"), MONTH) is None
    assert billing.can("authenticate")
    assert billing.can("currencies"), "an ability of the same name as a hook that every adapter has"


@pytest.mark.parametrize("arguments", ["client", "client, month_start", "month_end, client, month_start"])
def test_the_month_of_the_terms_may_be_left_out_and_is_told_to_who_asks(world: World, arguments: str) -> None:
    text = f"""{ACME}
    @hookimpl
    def terms(self, {arguments}):
        from tollbridge import Discount, Terms
        months = [str(each) for name, each in sorted(locals().items()) if name.startswith("month")]
        return Terms([Discount(" ".join(months), "", 1)])
"""
    _, billing = read_configuration(configure(world, f"{module(world.folder, text)}:AcmeAdapter", SETTINGS))
    terms = billing.terms(Client(1, "a@example.com", "USD"), Month(2026, 12))
    assert terms is not None
    assert terms.discounts is not None
    days = [day for name, day in (("month_end", "2027-01-01"), ("month_start", "2026-12-01")) if name in arguments]
    assert terms.discounts[0].name == " ".join(days)


@pytest.mark.parametrize("hook", REQUIRED)
def test_a_missing_required_hook_is_named(world: World, hook: str) -> None:
    text = re.sub(rf"    @hookimpl\n    def {hook}\(", f"    def _{hook}(", ACME)
    assert f"the required hook {hook} is missing" in refusal(world, text)


@pytest.mark.parametrize("hook", REQUIRED)
def test_a_forgotten_hookimpl_is_named(world: World, hook: str) -> None:
    text = ACME.replace(f"    @hookimpl\n    def {hook}(", f"    def {hook}(")
    assert f"{hook} is missing (it lacks @hookimpl)" in refusal(world, text)


def test_a_misspelt_hook_is_named_with_the_right_one(world: World) -> None:
    told = refusal(world, ACME.replace("def create_invoice(", "def creat_invoice("))
    assert "create_invoice is missing" in told
    assert "there is no hook creat_invoice; did you mean create_invoice?" in told


def test_a_misspelt_optional_hook_is_refused_too(world: World) -> None:
    """Else a client's discounts would silently not count."""
    told = refusal(world, ACME + "\n    @hookimpl\n    def term(self, client): ...\n")
    assert "there is no hook term; did you mean terms?" in told


@pytest.mark.parametrize(
    "signature",
    [
        "self",
        "self, id",
        "self, client_id, currency",
        "client_id",
        "self, client_id=None",
        "self, *client_id",
        "self, **more",
    ],
)
def test_a_wrong_signature_is_refused_with_the_right_one(world: World, signature: str) -> None:
    told = refusal(world, ACME.replace("def client(self, client_id: int)", f"def client({signature})"))
    assert "the hook client must be a plain method that takes (self, client_id)" in told


def test_an_asynchronous_hook_is_refused(world: World) -> None:
    told = refusal(world, ACME.replace("def client(", "async def client("))
    assert "the hook client must be a plain method" in told


@pytest.mark.parametrize("signature", ["self, reference, client_id", "self, client_id, reference, strict=True"])
def test_what_the_contract_gives_may_come_in_any_order(world: World, signature: str) -> None:
    text = re.sub(r"def find_invoice\([^)]*\)", f"def find_invoice({signature})", ACME)
    _, billing = read_configuration(configure(world, f"{module(world.folder, text)}:AcmeAdapter", SETTINGS))
    (world.folder / "acme.json").write_text('{"invoices": []}')
    assert billing.name


def test_everything_that_is_wrong_is_told_at_once(world: World) -> None:
    told = refusal(
        world,
        ACME.replace("def client(self, client_id: int)", "def client(self)").replace("def currencies(", "def money("),
    )
    assert "currencies is missing" in told
    assert "no hook money" in told
    assert "(self, client_id)" in told


def test_a_missing_module_is_told_with_the_folder_it_should_be_in(world: World) -> None:
    with pytest.raises(ConfigError, match=r"adapter\.use.*nowhere") as caught:
        read_configuration(configure(world, "nowhere_at_all:Adapter"))
    assert str(world.folder) in str(caught.value)


def test_a_missing_class_is_named(world: World) -> None:
    assert "has no class Other" in refusal(world, ACME, "Other")


def test_a_module_that_needs_another_says_which(world: World) -> None:
    told = refusal(world, "import no_such_library\n")
    assert "No module named 'no_such_library'" in told
    assert "looked for in" not in told, "the adapter itself was found"


@pytest.mark.parametrize("text", ["this is not Python", "1 / 0", "object().nothing"])
def test_a_module_that_cannot_be_imported_says_why(world: World, text: str) -> None:
    assert "cannot be imported" in refusal(world, text)


def test_something_that_is_no_class_is_refused(world: World) -> None:
    assert "is not a class" in refusal(world, "thing = 5\n", "thing")


@pytest.mark.parametrize("use", [":AcmeAdapter", "acme:", ":", "a.b.c:D", "acme:a:b"])
def test_a_name_that_makes_no_sense_is_refused(world: World, use: str) -> None:
    with pytest.raises(ConfigError, match=r"adapter\.use"):
        read_configuration(configure(world, use))


def test_an_adapter_that_is_not_installed_is_told_what_is(world: World) -> None:
    with pytest.raises(ConfigError, match=r'no installed adapter "acme"; installed: .*generic_sql'):
        read_configuration(configure(world, "acme"))


def test_an_adapter_that_cannot_be_made_is_its_own_fault(world: World) -> None:
    text = ACME.replace("self._file = Path(settings.file)", "raise LookupError('no licence')")
    with pytest.raises(AdapterFault, match="cannot be made: LookupError: no licence"):
        read_configuration(configure(world, f"{module(world.folder, text)}:AcmeAdapter", SETTINGS))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "adapter.settings.file: is missing"),
        ("[adapter.settings]\nfile = 5", "adapter.settings.file: must be text"),
        (f'{SETTINGS}\ngreetin = "x"', "adapter.settings.greetin: is not known; did you mean greeting?"),
        ('[adapter.acme]\nfile = "x"', "adapter.acme: is not known"),
    ],
)
def test_its_own_settings_are_checked_like_any_others(world: World, settings: str, words: str) -> None:
    assert words in refusal(world, ACME, settings=settings)


def test_an_adapter_without_settings_needs_none(world: World) -> None:
    text = ACME.replace("    Settings = AcmeSettings\n", "").replace("(self, settings: AcmeSettings)", "(self)")
    text = text.replace("settings.file", "'acme.json'")
    _, billing = read_configuration(configure(world, f"{module(world.folder, text)}:AcmeAdapter"))
    assert billing.can("find_invoice")


@pytest.fixture(autouse=True)
def forget_folder(tmp_path: Path) -> Iterator[None]:
    """The import path as it was."""
    before = [*sys.path]
    yield
    sys.path[:] = before

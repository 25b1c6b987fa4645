"""bridge.toml: what is taken, what is refused, and in which words."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from tests.config.files import API_TOKEN, BRIDGE_TOKEN, PASSWORD, SECRETS, AcmeSettings, acme, changed, load, problems
from tollbridge.bridge import read_settings
from tollbridge.config import load_settings
from tollbridge.errors import ConfigError
from tollbridge.model import UserStatus
from tollbridge.rules.calendar import Month

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLUS_API_TOKEN", API_TOKEN)
    monkeypatch.setenv("BRIDGE_TOKEN", BRIDGE_TOKEN)
    monkeypatch.setenv("DB_PASSWORD", PASSWORD)
    (tmp_path / "acme.secret").write_text(f"{PASSWORD}\n", encoding="utf-8")


def test_a_good_file_becomes_typed_settings(tmp_path: Path) -> None:
    settings, own = load(tmp_path, changed({}))
    assert settings.solus.api_token.reveal() == API_TOKEN
    assert settings.pricing.tokens == {"USD": Decimal("0.001"), "EUR": Decimal("0.00091")}
    assert (settings.billing.start, settings.billing.timezone) == (Month(2026, 7), ZoneInfo("Europe/Berlin"))
    assert settings.billing.minimum == {"USD": Decimal("1.00")}
    assert (settings.adapter, settings.server.port) == ("acme", 8400)
    assert isinstance(own, AcmeSettings)
    assert (own.url.reveal(), own.secret.reveal()) == (
        f"mysql+pymysql://bridge:{PASSWORD}@db.example.com/billing",
        PASSWORD,
    )
    assert (own.mode, own.table.depth, own.table.names) == ("safe", 2, ["a", "b"])


def test_what_is_left_out_has_the_contracts_defaults(tmp_path: Path) -> None:
    tree = {
        "solus": {"url": "https://solus.example.com", "api_token": "abcd"},
        "pricing": {"tokens": {"USD": "0.001"}},
        "billing": {"start": "2026-07"},
        "adapter": {"use": "bare"},
    }
    settings, own = load(tmp_path, tree)
    billing, accounts, server = settings.billing, settings.accounts, settings.server
    assert own is None
    assert (str(billing.timezone), billing.settle, billing.grace_days) == ("UTC", timedelta(hours=1), 14)
    assert (billing.lock_after_days, billing.suspend_after_days, billing.zero_invoices) == (None, None, False)
    assert (accounts.provision, accounts.on_closed, settings.solus.role) == ("clients", "suspend", None)
    assert (server.host, server.port, server.token) == ("127.0.0.1", 8400, None)
    assert (server.cache_seconds, server.stale_seconds) == (60, 3600)


def test_prices_discounts_and_taxes_reach_the_rules_unchanged(tmp_path: Path) -> None:
    prices = load(tmp_path, changed({"pricing.compound_tax": True}))[0].pricing.price_list(Month(2026, 7))
    assert prices.compound_tax
    assert [(rule.discount.multiplier, rule.client_group) for rule in prices.discounts] == [
        (Decimal("0.95"), "partners")
    ]
    assert [(rule.tax.label, rule.tax.rate, rule.country) for rule in prices.taxes] == [("VAT", Decimal(20), "GB")]


def test_a_price_changes_from_its_month_on_and_a_currency_left_out_keeps_its_price(tmp_path: Path) -> None:
    changes = [
        {"from": "2026-12", "tokens": {"USD": "0.0012", "KWD": "0.1"}},
        {"from": "2027-02", "tokens": {"USD": "0.0013"}},
    ]
    pricing = load(tmp_path, changed({"pricing.changes": changes}))[0].pricing
    wanted = {
        "2026-11": {"USD": "0.001", "EUR": "0.00091"},
        "2026-12": {"USD": "0.0012", "EUR": "0.00091", "KWD": "0.1"},
        "2027-01": {"USD": "0.0012", "EUR": "0.00091", "KWD": "0.1"},
        "2028-01": {"USD": "0.0013", "EUR": "0.00091", "KWD": "0.1"},
    }
    for month, tokens in wanted.items():
        prices = pricing.price_list(Month.parse(month))
        assert {code: str(price) for code, price in prices.tokens.items()} == tokens
        assert prices.discounts == pricing.price_list(Month(2026, 7)).discounts


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([("2026-12", "USD"), ("2026-12", "EUR")], r"pricing.changes\[1\].from: is 2026-12, as the one before"),
        ([("2026-12", "USD"), ("2026-11", "USD")], r"pricing.changes\[1\].from: is 2026-11, which is before 2026-12"),
        ([("2026-13", "USD")], r"pricing.changes\[0\].from: '2026-13' is not a month"),
        ([("2026-12", "usd")], r"pricing.changes\[0\].tokens.usd: must be a currency code"),
        ([("2026-12", "")], r"pricing.changes\[0\].tokens: is empty"),
    ],
)
def test_changes_that_are_doubled_unsorted_or_empty_are_named_with_what_to_do(
    tmp_path: Path, changes: list[tuple[str, str]], told: str
) -> None:
    tree = changed({"pricing.changes": [
        {"from": month, "tokens": {code: "1"} if code else {}} for month, code in changes
    ]})  # fmt: skip
    with pytest.raises(ConfigError, match=told):
        load(tmp_path, tree)


def test_a_misspelt_key_of_a_change_is_told_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, changed({"pricing.changes": [{"form": "2026-12", "tokens": {"USD": "1"}}]}))
    assert "pricing.changes[0].form: is not known; did you mean from?" in str(caught.value)
    assert "pricing.changes[0].from: is missing" in str(caught.value)


def test_the_days_of_the_file_are_the_rungs_of_the_ladder(tmp_path: Path) -> None:
    ladder = load(tmp_path, changed({"billing.suspend_after_days": 9}))[0].billing.ladder
    month = Month(2026, 7).start(ZoneInfo("UTC")).date()
    rungs = [ladder.status_on(month, month + timedelta(days=days)) for days in (6, 7, 9)]
    assert rungs == [UserStatus.ACTIVE, UserStatus.LOCKED, UserStatus.SUSPENDED]


ALL_WRONG = {
    "solus.url": "http://solus.example.com",
    "solus.limit_gruop": "postpaid",
    "pricing.prices_include_tax": "no",
    "pricing.tokens": {"USD": 0.001, "EUR": "a lot"},
    "pricing.taxes": [{"label": "VAT", "rate": "20", "level": 3}],
    "billing.timezone": "Europe/Berln",
    "billing.grace_days": -1,
    "accounts.provision": "client",
    "server.port": 84000,
    "adapter.acme.mode": "fats",
    "adapter.acme.table": {"dept": 2},
    "adapter.amce": {},
    "invoices": {},
}


@pytest.mark.parametrize(
    "problem",
    [
        "solus.url: must begin with https://",
        "solus.limit_gruop: is not known; did you mean limit_group?",
        'pricing.prices_include_tax: must be true or false, not "no"',
        'pricing.tokens.USD: must be text in quotes, like "0.001"',
        'pricing.tokens.EUR: must be a number as text, like "0.001", not "a lot"',
        "pricing.taxes[0].level: must be from 1 to 2, not 3",
        'billing.timezone: must be a time zone like Europe/Berlin, not "Europe/Berln"; did you mean Europe/Berlin?',
        "billing.grace_days: must be from 0 to 3660, not -1",
        'accounts.provision: must be one of "clients", "signup", not "client"; did you mean clients?',
        "server.port: must be from 1 to 65535, not 84000",
        'adapter.acme.mode: must be one of "fast", "safe", not "fats"; did you mean fast?',
        "adapter.acme.table.dept: is not known; did you mean depth?",
        "adapter.amce: is not known here; did you mean acme?",
        "invoices: is not known; known here: solus, pricing, billing, accounts, server, ledger",
    ],
)
def test_every_problem_is_reported_at_once_with_its_key_and_the_nearest_right_one(tmp_path: Path, problem: str) -> None:
    found = problems(tmp_path, changed(ALL_WRONG))
    assert len([each for each in found if each.startswith(problem)]) == 1, found
    assert len(found) == 14


@pytest.mark.parametrize(
    "key",
    ["solus.url", "solus.api_token", "pricing.tokens", "billing.start", "solus", "pricing", "billing", "adapter.use",
     "adapter.acme.secret", "adapter.acme.url"],
)  # fmt: skip
def test_a_needed_key_that_is_missing_is_named(tmp_path: Path, key: str) -> None:
    assert [problem.split(" missing")[0] for problem in problems(tmp_path, changed({key: None}))] == [f"{key}: is"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("solus.url", "solus.example.com", 'must be an address like "https://host.example.com"'),
        ("solus.url", "https://", "must be an address"),
        ("solus.url", "https://[::1", "must be an address"),
        ("solus.url", "https://solus.example.com:99999", "must be an address"),
        ("solus.url", "https://solus example.com", "must be an address"),
        ("solus.url", "https://solus.example.com\n", "must be an address"),
        ("solus.url", "https://u:p@solus.example.com", "must be only scheme, host, port and path"),
        ("solus.url", "https://solus.example.com?a=1", "must be only scheme, host, port and path"),
        ("solus.url", "http://10.0.0.1", "must begin with https://"),
        ("solus.url", "http://localhost.example.com", "must begin with https://"),
        ("solus.url", "http://127.0.0.1@evil.example.com", "must begin with https://"),
        ("solus.user_area_url", "http://my.example.com", "must begin with https://"),
        ("server.public_url", "http://bridge.example.com", "must begin with https://"),
        ("solus.api_token", "", "is empty"),
        ("solus.api_token", "two words", "holds spaces"),
        ("solus.api_token", "tökén", "holds spaces, or characters no token has"),
        ("solus.api_token", 12345678, "must be text in quotes"),
        ("solus.limit_group", True, "must be a name in quotes or a number, not true"),
        ("solus.ca_file", 5, "must be text in quotes, not 5"),
        ("solus.usage", {"path": "https://evil.example.com/usage"}, "must be a path"),
        ("solus", "https://solus.example.com", "must be a table, not"),
        ("accounts", "", "must be a table"),
        ("accounts", [], "must be a table, not a list"),
        ("pricing.tokens", "0.001", "must be a table"),
        ("pricing.tokens", [], "must be a table, not a list"),
        ("pricing.discounts", {"name": "Partners", "multiplier": "0.95"}, "must be a list, in brackets, not a table"),
        ("pricing.taxes", "VAT", 'must be a list, in brackets, not "VAT"'),
        ("pricing.tokens", {"usd": "1"}, "must be a currency code of three capitals"),
        ("pricing.tokens", {"USD": "NaN"}, "must be a finite number that is not negative"),
        ("pricing.tokens", {"USD": "-1"}, "must be a finite number that is not negative"),
        ("pricing.tokens", {"USD": "1e999999"}, "must have at most 30 digits"),
        ("pricing.tokens", {"USD": "0,001"}, "must be a number as text"),
        ("pricing.tokens", {"USD": True}, "must be a number as text"),
        ("pricing.tokens", {"USD": "१"}, "must be a number as text"),
        ("billing.minimum", {"USD": 1.5}, 'must be text in quotes, like "1.5"'),
        ("billing.start", "July 2026", "'July 2026' is not a month like 2026-07"),
        ("billing.start", "0000-07", "is not a month"),
        ("billing.timezone", 5, "must be a time zone like Europe/Berlin, not 5"),
        ("billing.grace_days", 10**12, "must be from 0 to 3660"),
        ("billing.grace_days", True, "must be a whole number, not true"),
        ("billing.grace_days", 14.0, "must be a whole number, not 14.0"),
        ("billing.suspend_after_days", 3, "is 3, before lock_after_days (7)"),
        ("server.port", "8400", "must be a whole number"),
        ("server.token", "", "is empty"),
        ("ledger.url", 5, "must be text in quotes, not 5"),
        ("adapter.use", "whmcs", 'there is no installed adapter "whmcs"; installed: acme, bare'),
        ("adapter.acme", "fast", "must be a table"),
        ("adapter.acme.pages", "5", "must be a whole number"),
        ("adapter.acme.table.names", "ab", "must be a list"),
        ("adapter.acme.table.names", [1], "must be text in quotes, not 1"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_key_and_the_reason(tmp_path: Path, key: str, value: Any, words: str) -> None:
    found = problems(tmp_path, changed({key: value}))
    assert any(problem.startswith(key) and words in problem for problem in found), found


@pytest.mark.parametrize("address", ["http://127.0.0.1:8499", "http://localhost", "http://[::1]:80/panel"])
def test_plain_http_reaches_this_machine_only(tmp_path: Path, address: str) -> None:
    assert load(tmp_path, changed({"solus.url": address}))[0].solus.url == address


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "bridge.example.com", "192.168.0.1"])  # noqa: S104
def test_a_host_that_others_can_reach_needs_a_token(tmp_path: Path, host: str) -> None:
    found = problems(tmp_path, changed({"server": {"host": host}}))
    assert found == [f"server.token: is needed because host {host} can be reached from other machines"]
    assert problems(tmp_path, changed({"server.host": host})) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_loopback_host_needs_no_token(tmp_path: Path, host: str) -> None:
    assert load(tmp_path, changed({"server": {"host": host}}))[0].server.token is None


def test_a_float_is_never_money(tmp_path: Path) -> None:
    found = problems(
        tmp_path, changed({"pricing.tokens.USD": 0.1, "pricing.discounts": [{"name": "P", "multiplier": 0.95}]})
    )
    assert found == [
        'pricing.tokens.USD: must be text in quotes, like "0.1", so that not a digit is lost',
        'pricing.discounts[0].multiplier: must be text in quotes, like "0.95", so that not a digit is lost',
    ]


def test_a_price_keeps_every_digit_it_is_written_with(tmp_path: Path) -> None:
    price = "0.0010000000000000000000000001"
    assert str(load(tmp_path, changed({"pricing.tokens.USD": price}))[0].pricing.tokens["USD"]) == price


def test_an_unset_variable_is_the_only_problem_its_key_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOLUS_API_TOKEN")
    monkeypatch.delenv("BRIDGE_TOKEN")
    assert problems(tmp_path, changed({})) == [
        "solus.api_token: the environment variable SOLUS_API_TOKEN is not set",
        "server.token: the environment variable BRIDGE_TOKEN is not set",
    ]


def test_unset_variables_do_not_hide_other_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOLUS_API_TOKEN")
    assert len(problems(tmp_path, changed({"server.port": 0, "billing.grace_day": 1}))) == 3


def test_a_variable_may_be_set_to_nothing_but_a_token_may_not_be_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLUS_API_TOKEN", "")
    assert problems(tmp_path, changed({})) == ["solus.api_token: is empty"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "acme.secret").unlink()
    if content is not None:
        (tmp_path / "acme.secret").write_bytes(content)
    (found,) = problems(tmp_path, changed({}))
    assert found.startswith(f"adapter.acme.secret: the file {tmp_path}/acme.secret cannot be read (")


@pytest.mark.parametrize("name", ["file:", "file:a\0b", "", "file:.", "A=B"])
def test_a_variable_that_cannot_be_is_a_problem_like_any_other(tmp_path: Path, name: str) -> None:
    (found,) = problems(tmp_path, changed({"server.token": f"${{{name}}}"}))
    assert found.startswith("server.token: the ")


def test_variables_are_filled_in_inside_of_texts_and_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGION", "north")
    own = load(tmp_path, changed({"adapter.acme.table": {"names": ["${REGION}-1", "${REGION}${REGION}", "$REGION"]}}))[
        1
    ]
    assert own.table.names == ["north-1", "northnorth", "$REGION"]


@pytest.mark.parametrize(
    "key",
    [
        "server.port",
        "billing.start",
        "accounts.provision",
        "solus.url",
        "billing.timezone",
        "pricing.tokens.USD",
        "pricing.compound_tax",
        "adapter.acme.mode",
        "adapter.use",
    ],
)
def test_a_secret_in_the_wrong_place_is_refused_without_being_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    misplaced = f"nT5-{key}-is-no-place-for-this"
    monkeypatch.setenv("MISPLACED", misplaced)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, changed({key: "${MISPLACED}"}))
    assert key in str(caught.value)
    assert misplaced not in f"{caught.value} {caught.value!r} {caught.value.problems}"


def test_a_token_written_as_a_number_is_not_shown(tmp_path: Path) -> None:
    assert "12345678" not in str(problems(tmp_path, changed({"solus.api_token": 12345678})))


def test_settings_never_show_their_secrets(tmp_path: Path) -> None:
    settings, own = load(tmp_path, changed({"ledger.url": "postgresql+psycopg://bridge:${DB_PASSWORD}@db/ledger"}))
    shown = f"{settings} {settings!r} {own} {own!r} {attrs.asdict(settings)} {attrs.asdict(own)}"
    assert [secret for secret in SECRETS if secret in shown] == []
    assert "bridge:••••••@db/ledger" in shown


@pytest.mark.parametrize(
    ("url", "anchored"),
    [
        ("sqlite:///books.db", "sqlite:///{folder}/books.db"),
        ("sqlite+pysqlite:///data/books.db?timeout=5", "sqlite+pysqlite:///{folder}/data/books.db?timeout=5"),
        ("sqlite:////var/books.db", "sqlite:////var/books.db"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql+psycopg://db/books.db", "postgresql+psycopg://db/books.db"),
    ],
)
def test_a_relative_sqlite_file_lies_beside_bridge_toml_wherever_a_command_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, anchored: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    settings, own = load(tmp_path, changed({"ledger.url": url, "adapter.acme.url": url}))
    assert settings.ledger.url.reveal() == own.url.reveal() == anchored.format(folder=tmp_path)


def test_a_database_password_that_would_be_taken_for_a_host_is_a_problem_of_its_key_and_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "s3cr@t-word")
    url = "postgresql+psycopg://bridge:${DB_PASSWORD}@db/ledger"
    assert problems(tmp_path, changed({"ledger.url": url, "adapter.acme.url": url})) == [
        f"{key}: its password has an @, which must be written %40" for key in ("adapter.acme.url", "ledger.url")
    ]


def test_the_default_ledger_and_a_ca_file_lie_beside_bridge_toml(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, changed({"solus.ca_file": "own-ca.pem"}))
    assert settings.solus.ca_file == tmp_path / "own-ca.pem"


def test_an_absent_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tollbridge init"):
        load_settings(tmp_path / "bridge.toml", acme)


@pytest.mark.parametrize("content", [b"[solus", b"\xff", b"[solus]\n[solus]"])
def test_what_is_not_toml_is_one_clear_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bridge.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"not valid TOML|cannot be read"):
        load_settings(path, acme)


def test_the_repositorys_own_bridge_toml_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, own = read_settings(REPOSITORY / "bridge.toml")
    assert (settings.adapter, settings.billing.lock_after_days, own.preset) == ("generic_sql", 7, "tollbridge")
    assert settings.pricing.tokens["EUR"] == Decimal("0.00091")
    assert settings.ledger.url.reveal() == f"sqlite:///{REPOSITORY}/tollbridge.db"


def test_every_key_the_repositorys_bridge_toml_mentions_in_a_comment_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (REPOSITORY / "bridge.toml").read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("[solus]"))
    end = next(number for number, line in enumerate(lines) if line.startswith("# [adapter.generic_sql.queries]"))
    monkeypatch.setenv("PAGES_SECRET", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("OPERATOR_TOKEN", "the-operators-own-token")
    monkeypatch.setenv("MAIL_PASSWORD", "mail-password")
    monkeypatch.setenv("WEBHOOK_SECRET", "0123456789abcdef0123456789abcdef")
    keys = [line.removeprefix("# ") for line in lines[start:end] if " = " in line or line.startswith(("[", "# ["))]
    text = "\n".join(keys).replace(
        "sqlite:///tollbridge.db", "postgresql+psycopg://localhost/ledger"
    )  # for all machines
    (tmp_path / "bridge.toml").write_text(text, encoding="utf-8")
    settings, _ = read_settings(tmp_path / "bridge.toml")
    assert settings.solus.usage.path == "usage"
    assert settings.pricing.discounts[0].multiplier == Decimal("0.95")
    assert settings.server.stale_seconds == 3600

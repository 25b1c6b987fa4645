"""``init``, ``check`` and ``connect``: from nothing to a bridge that SolusIO knows."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import attrs
import typer

from tollbridge.adapters.loading import adapter_class
from tollbridge.cli.output import out, print_json, say, table
from tollbridge.cli.session import AsJson
from tollbridge.config import METER, MailSettings, NotifySettings
from tollbridge.config.settings import PriceChange
from tollbridge.distributed import MISSING, is_installed
from tollbridge.errors import Refused, TollbridgeError, Unavailable, UsageError
from tollbridge.jobs.clock import compare_clocks
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.price_lists import RunningPrices, another_list, now, running_month
from tollbridge.ledger.writer import writer_problem
from tollbridge.mail import Sender, Webhook
from tollbridge.mail.addresses import bare_address
from tollbridge.model import Check, ClientStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.pricing import Place, plain, unmet_states
from tollbridge.rules.stretches import Gap
from tollbridge.solus import Solus, wire
from tollbridge.usage.meter import gap_words
from tollbridge.words import counted

_PRICING_PATH = "/solusio/api/"
_UNREACHABLE = "cannot be reached: "
_SHOWN_CLIENTS = 3
_MARKS = {True: "ok", None: "?", False: "NO"}
_WELL = "All is well."


def init(
    context: typer.Context,
    adapter: Annotated[
        str, typer.Argument(help="An installed adapter's name, or package.module:Class.")
    ] = "generic_sql",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there already.")] = False,
) -> None:
    """Write a commented bridge.toml for an adapter, where --config says."""
    path: Path = context.obj.config
    if path.exists() and not force:
        raise UsageError(f"{path} is there already; --force overwrites it, --config names another")
    text = example_configuration(adapter, path.absolute().parent, Month.of(datetime.now(UTC), ZoneInfo("UTC")))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    say(f"{path} is written. Fill it in, then `tollbridge check` tells what is still missing.")


def example_configuration(adapter: str, folder: Path, start: Month) -> str:
    """The documented bridge.toml, made ready for a company of one's own: this adapter, and nothing before ``start``."""
    text = files("tollbridge").joinpath("bridge.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("[adapter]\n")
    head = head.replace('"http://127.0.0.1:8499"             #', '"https://solus.example.com"         #')
    head = re.sub(r'(?m)^start = "\d{4}-\d\d"', f'start = "{start}"', head)
    table_name, found = adapter_class(adapter, folder)
    head = _with_short_prices(head, getattr(found, "token_price_decimals", None))
    if adapter != "generic_sql":
        rest = f"use = {json.dumps(adapter)}\n\n[adapter.{table_name}]\n" + "\n".join(_settings_lines(found)) + "\n"
    return f"{head}[adapter]\n{rest}"


def _with_short_prices(text: str, decimals: int | None) -> str:
    """The example's token prices, with no more decimals than the adapter wants."""
    if decimals is None:
        return text
    shorter = lambda match: f'{match[1]} = "{round(Decimal(match[2]), decimals):f}"'  # noqa: E731
    return re.sub(r'(?m)^([A-Z]{3}) = "([\d.]+)"', shorter, text)


def _settings_lines(adapter: type[Any]) -> Iterator[str]:
    """One line for each of the adapter's settings; those with a default are commented out."""
    settings = getattr(adapter, "Settings", None)
    if settings is None or not attrs.has(settings):
        return
    for field in attrs.fields(attrs.resolve_types(settings)):
        note = field.metadata.get("doc", "")
        comment = f"  # {note}" if note else ""
        if field.default is attrs.NOTHING:
            example = field.metadata.get("example", "")
            yield f"{field.name} = {_toml(example)}{comment}"
        else:
            default = None if isinstance(field.default, attrs.Factory) else field.default  # type: ignore[arg-type]
            shown = field.metadata.get("example", default) if default is None else default
            yield f"# {field.name} = {_toml(shown)}{comment}"


def _toml(value: Any) -> str:
    if isinstance(value, bool | int):
        return str(value).lower()
    return json.dumps("…" if value is None else str(value), ensure_ascii=False)


def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Validate bridge.toml, test both connections, and compare currencies with the token prices."""
    with context.obj.parts() as parts:
        checks = list(_all_checks(parts))
    failed = [each for each in checks if each.ok is False]
    unproved = [each for each in checks if each.ok is None]
    if as_json:
        print_json({"ok": not failed, "checks": checks})
    else:
        made = table("", "", "what", "finding")
        for each in checks:
            made.add_row(_MARKS[each.ok], each.name, each.detail)
        out.print(made)
        well = f"Nothing was found wrong; {len(unproved)} of {len(checks)} could not be proved." if unproved else _WELL
        say(f"{len(failed)} of {len(checks)} checks failed." if failed else well)
    if failed:
        raise typer.Exit(3 if any(each.detail.startswith(_UNREACHABLE) for each in failed) else 2)


def _all_checks(parts: Parts) -> Iterator[Check]:
    yield Check("bridge.toml", ok=True, detail="every key is known and of the right type")
    parts.ledger.ping()
    yield from _ledger_checks(parts)
    yield from _solus_checks(parts)
    yield _list_check(parts)
    try:
        yield from parts.billing.check()
        yield from _currency_checks(parts)
        if parts.settings.pricing.prices_include_tax and "prices_include_tax" in parts.billing.cannot:
            reason = parts.billing.cannot["prices_include_tax"]
            yield Check("pricing.prices_include_tax", ok=False, detail=f"must be false: {reason}")
        yield from _clients_checks(parts)
    except TollbridgeError as error:
        yield Check("billing system", ok=False, detail=_found(error))
    yield from _pages_checks(parts)
    server, mailed = parts.settings.server, parts.settings.pages is not None and parts.settings.mail is not None
    if server.public_url is None:
        detail = "not set; `tollbridge connect` needs it" + (", and so do the links in e-mails" if mailed else "")
        yield Check("server.public_url", ok=not mailed, detail=detail)
    if server.token is None and parts.settings.pages is not None:
        yield Check("server.token", ok=True, detail="not set; client areas cannot ask for links to the pages")


def _ledger_checks(parts: Parts) -> Iterator[Check]:
    """Whether runs can work on the ledger, and whether this machine can ask workers for help."""
    url, problem = parts.settings.ledger.url, writer_problem(parts.ledger.database)
    yield Check("ledger", ok=problem is None, detail=f"{url} {problem}" if problem else str(url))
    if (distributed := parts.settings.distributed) is not None:
        due = f"the daily job is due at {distributed.every}" if distributed.every else "no schedule"
        words = f"{due}; a worker makes {distributed.per_worker} calls at once" if is_installed() else MISSING
        yield Check("distributed", ok=is_installed(), detail=words)


def _solus_checks(parts: Parts) -> Iterator[Check]:
    """Whether SolusIO answers, and if so whether the role, the limit group and the usage feed are there."""
    solus = parts.solus
    answers = _tried("SolusIO", lambda: _answers(solus))
    yield answers
    if answers.ok:
        yield _tried("clock", lambda: compare_clocks(solus))
        yield _tried("SolusIO role", lambda: solus.role.name if solus.role else "the panel's own choice")
        yield _tried("SolusIO limit group", lambda: solus.limit_group.name if solus.limit_group else "none named")
        if parts.usage.name == METER:
            yield _meter_check(parts)
        else:
            yield _tried("SolusIO usage feed", lambda: _reads_usage(parts))


def _pages_checks(parts: Parts) -> Iterator[Check]:
    """Whether the customers' pages can be shown, what they offer, and whether the mail server lets us in."""
    if (pages := parts.settings.pages) is not None:
        yield _tried("pages", lambda: _offered_by_pages(parts))
        if (country := pages.prices_with_tax) is not None:
            yield _tried("pages.prices_with_tax", lambda: _taxes_in(country, parts))
    if (mail := parts.settings.mail) is not None:
        yield _tried("mail server", lambda: _takes_mail(mail))
    if (notify := parts.settings.notify) is not None:
        yield from _notify_checks(notify)


def _notify_checks(notify: NotifySettings) -> Iterator[Check]:
    """What can be known without telling the operator anything."""
    if notify.mail is not None:
        try:
            yield Check("notify.mail", ok=True, detail=f"{bare_address(notify.mail)} is told; nothing was sent")
        except ValueError as error:
            yield Check("notify.mail", ok=False, detail=str(error))
    if notify.webhook is not None:
        yield _tried("notify.webhook", lambda: _reaches(notify))


def _reaches(notify: NotifySettings) -> str:
    with closing(Webhook(notify)) as webhook:
        webhook.try_out()
    return "can be connected to; nothing was sent"


def _offered_by_pages(parts: Parts) -> str:
    from tollbridge.server.pages import pages_of  # noqa: PLC0415 - slow to import

    pages = pages_of(parts, RunningPrices(parts))  # tries every template
    offers = pages.offers if pages else {}
    return ", ".join(f"{name}: {'yes' if offered else 'no'}" for name, offered in offers.items())


def _taxes_in(country: str, parts: Parts) -> str:
    prices = RunningPrices(parts)
    of = prices.list()
    price = prices.pricer.price_in(country, next(iter(prices.offered() or of.prices.tokens)), of)
    return ", ".join(f"{tax.label} {plain(tax.rate)} %" for tax in price.taxes) or f"no tax is due in {country}"


def _takes_mail(settings: MailSettings) -> str:
    with Sender(settings) as sender:
        sender.try_out()
    return f"{settings.host}:{settings.port} lets us in"


def _reads_usage(parts: Parts) -> str:
    """Read one page of the running month."""
    now, zone = datetime.now(UTC), parts.settings.billing.timezone
    start = Month.of(now, zone).start(zone)
    next(parts.usage.read(start, now), None)
    return "answers, in the declared shape"


def _meter_check(parts: Parts) -> Check:
    """Whether servers and plans can be read, and the last snapshot is not too long ago."""
    reads = _tried("meter", lambda: _reads_servers(parts.solus))
    last, settings = parts.ledger.meter.last(), parts.settings.meter
    if not reads.ok:
        return reads
    if last is None:
        words = "no snapshot was taken yet: run `tollbridge meter`, every few minutes from now on"
        return Check("meter", ok=False, detail=words)
    if datetime.now(UTC) - last > settings.longest_gap:
        return Check("meter", ok=False, detail=gap_words(Gap(last, None), settings))
    return Check("meter", ok=True, detail=f"the last snapshot is of {last:%Y-%m-%d %H:%M} UTC")


def _reads_servers(solus: Solus) -> str:
    plans = {plan.id: plan for plan in solus.panel.whole_list("plans", wire.plan_prices)}
    next((wire.server(row, plans) for row in solus.panel.rows("servers")), None)
    return "servers and plans can be read"


def _answers(solus: Solus) -> str:
    solus.try_out()
    return "answers, and shows its users"


def _tried(name: str, try_it: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, detail=try_it())
    except TollbridgeError as error:
        return Check(name, ok=False, detail=_found(error))


def _found(error: TollbridgeError) -> str:
    """The error in a cell of the table; an outage begins with the same words whoever reports it."""
    return f"{_UNREACHABLE}{str(error).rpartition(_UNREACHABLE)[2]}" if isinstance(error, Unavailable) else str(error)


def _list_check(parts: Parts) -> Check:
    """Whether the month that it is is billed with bridge.toml's list; another one is no error, and is told."""
    month = running_month(parts, now())
    another = another_list(parts, month)
    coming = [f"from {each.from_} on {_listed(each.tokens)}" for each in _changes_after(parts, month)]
    words = f"warning: {another}" if another else f"{month} is billed with those of bridge.toml"
    return Check("prices", ok=True, detail="; ".join([words, *coming]))


def _changes_after(parts: Parts, month: Month) -> list[PriceChange]:
    return [each for each in parts.settings.pricing.changes if each.from_ > month]


def _listed(tokens: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{code} {price:f}" for code, price in tokens.items())


def _currency_checks(parts: Parts) -> Iterator[Check]:
    """Each active currency has a token price, of no more decimals than its adapter allows, and vice versa."""
    month = running_month(parts, now())
    priced, active = parts.settings.pricing.price_list(month).tokens, parts.billing.currencies()
    decimals = parts.billing.token_price_decimals
    for code in sorted(active):
        yield _price_check(code, priced.get(code), decimals)
    for change in _changes_after(parts, month):
        for code, price in change.tokens.items():
            later = _price_check(code, price, decimals)
            if not later.ok:
                yield attrs.evolve(later, name=f"{later.name} from {change.from_} on")
    for code in sorted(priced.keys() - active.keys() if active else ()):
        yield Check(f"currency {code}", ok=True, detail="has a token price, and is not active in the billing system")


def _clients_checks(parts: Parts) -> Iterator[Check]:
    """Whether every client could have a user and an invoice, and the taxes of its state, as far as that shows."""
    priced, everybody = parts.settings.pricing.tokens, parts.settings.accounts.provision == "clients"
    count, problems = 0, []
    places: set[Place] = set()
    for client in parts.billing.clients():
        count += 1
        if isinstance(client, Refused):
            problems.append(str(client))
            continue
        places.add(Place.of(client))
        if client.status is not ClientStatus.CLOSED and everybody:
            if not client.email:
                problems.append(f"client {client.id} has no e-mail address, and SolusIO needs one")
            if client.currency not in priced:
                problems.append(f"client {client.id} pays in {client.currency or 'no currency'}, which has no price")
    more = f"; and {len(problems) - _SHOWN_CLIENTS:,} more" if len(problems) > _SHOWN_CLIENTS else ""
    found = "; ".join(problems[:_SHOWN_CLIENTS]) + more if problems else f"{counted(count, 'client')} can be read"
    yield Check("clients", ok=not problems, detail=found)
    for words in unmet_states(parts.settings.pricing.price_list(running_month(parts, now())), places):
        detail = f"warning: nobody pays {words}. Write the state as it stands there, or as its code"
        yield Check("pricing.taxes", ok=True, detail=detail)


def _price_check(code: str, price: Decimal | None, decimals: int | None) -> Check:
    name = f"currency {code}"
    if price is None:
        return Check(name, ok=False, detail="has no token price: add it to [pricing.tokens]")
    if decimals is not None and round(price, decimals) != price:
        return Check(name, ok=False, detail=f"one token is {price:f}: this adapter wants at most {decimals} decimals")
    return Check(name, ok=True, detail=f"one token is {price:f}")


def connect(context: typer.Context, as_json: AsJson = False) -> None:
    """Tell SolusIO where the pricing endpoint is, and turn registration in the user area off."""
    with context.obj.parts() as parts:
        server = parts.settings.server
        if server.public_url is None:
            raise UsageError(
                "server.public_url is missing: it is the address at which SolusIO reaches `tollbridge serve`"
            )
        token = server.token.reveal() if server.token else ""
        done = parts.solus.connect(server.public_url.rstrip("/") + _PRICING_PATH, token)
    if as_json:
        print_json(attrs.asdict(done))
        return
    say(f"SolusIO asks {done.url} for prices (driver {done.driver}{', with a token' if done.token_set else ''}),")
    say("and nobody can register in the user area past the billing system. Both were read back.")

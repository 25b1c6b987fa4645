"""The optional hooks about people: who signs up, who logs in, who is whose user."""

import pytest

from tollbridge.conformance.failing import everything_logged
from tollbridge.conformance.side import NOBODY, WRITINGS, OtherSide
from tollbridge.errors import AddressTaken, NotFound, Refused, Unavailable
from tollbridge.model import Client, Signup

_PASSWORD = "correct-horse-battery-9"  # noqa: S105 - of nobody


def _signed_up(side: OtherSide) -> Client:
    side.needs("create_client")
    side.add_currency(WRITINGS["USD"])
    signup = Signup(
        "new@example.com", first_name="Nora", last_name="Neu", company="Neu Ltd", currency="USD", country="GB",
        password=_PASSWORD,
    )  # fmt: skip
    return side.billing().create_client(signup)


class PeopleTests:
    """Hooks ``create_client``, ``authenticate``, ``portal_login_url``, ``invoice_url`` and ``remember_user``."""

    def test_create_client_makes_a_client_of_a_signup(self, side: OtherSide) -> None:
        client = _signed_up(side)
        billing = side.billing()
        assert billing.client(client.id) == client
        assert (client.email, client.first_name, client.last_name) == ("new@example.com", "Nora", "Neu")
        assert (client.company, client.currency, client.country) == ("Neu Ltd", "USD", "GB")
        assert [found for found in billing.clients() if not isinstance(found, Refused)] == [client]

    def test_create_client_refuses_an_address_that_is_taken(self, side: OtherSide) -> None:
        client = _signed_up(side)
        with pytest.raises(AddressTaken):
            _signed_up(side)
        assert [found for found in side.billing().clients() if not isinstance(found, Refused)] == [client]

    def test_authenticate_knows_who_has_the_right_password(self, side: OtherSide) -> None:
        side.needs("authenticate")
        client = _signed_up(side)
        billing = side.billing()
        assert billing.authenticate("new@example.com", _PASSWORD) == client
        for email, password in (
            ("new@example.com", "wrong"),
            ("new@example.com", ""),
            ("nobody@example.com", _PASSWORD),
            ("new@example.com' OR '1'='1", _PASSWORD),
        ):
            assert billing.authenticate(email, password) is None

    def test_authenticate_lets_nobody_in_without_the_second_factor(self, side: OtherSide) -> None:
        side.needs("authenticate")
        client = _signed_up(side)
        side.demand_second_factor(client.id)
        try:
            found = side.billing().authenticate("new@example.com", _PASSWORD)
        except Refused:
            return
        assert found is None

    def test_authenticate_in_an_outage_says_nothing_of_the_password(self, side: OtherSide) -> None:
        side.needs("authenticate")
        with side.outage(), pytest.raises(Unavailable):
            side.billing().authenticate("new@example.com", _PASSWORD)

    def test_passwords_of_customers_show_nowhere(
        self, side: OtherSide, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        side.needs("authenticate")
        with everything_logged(caplog):
            _signed_up(side)
            for password in (_PASSWORD, f"{_PASSWORD}-mistyped"):
                side.billing().authenticate("new@example.com", password)
        written = capfd.readouterr()
        assert _PASSWORD not in f"{written.out}{written.err}{caplog.text}"

    def test_portal_login_url_opens_the_account_of_whom_it_is_for(self, side: OtherSide) -> None:
        side.needs("portal_login_url")
        clients = [side.some_client(), side.some_client(id=1043, email="b@example.com")]
        urls = [side.billing().portal_login_url(client.id) for client in clients]
        if None in urls:
            pytest.skip("portal_login_url gives no link here")
        assert [side.opened_by(url) for url in urls if url is not None] == [client.id for client in clients]

    def test_portal_login_url_opens_an_account_as_often_as_it_is_asked_for(self, side: OtherSide) -> None:
        """A link is good once: whoever comes back needs another."""
        side.needs("portal_login_url")
        client, billing = side.some_client(), side.billing()
        for _ in range(2):
            url = billing.portal_login_url(client.id)
            if url is None:
                pytest.skip("portal_login_url gives no link here")
            assert side.opened_by(url) == client.id

    def test_portal_login_url_is_an_address_or_none(self, side: OtherSide) -> None:
        side.needs("portal_login_url")
        client = side.some_client()
        url = side.billing().portal_login_url(client.id)
        assert url is None or url.startswith(("http://", "https://"))

    def test_portal_login_url_is_not_given_for_nobody(self, side: OtherSide) -> None:
        side.needs("portal_login_url")
        try:
            url = side.billing().portal_login_url(NOBODY)
        except (NotFound, Refused):
            return
        assert url is None

    def test_invoice_url_is_an_address_of_its_own_for_each_invoice_or_none(self, side: OtherSide) -> None:
        side.needs("invoice_url")
        client = side.some_client()
        urls = [side.billing().invoice_url(client.id, number) for number in ("1", "12", "a/b?c&d#e f")]
        there = [url for url in urls if url is not None]
        assert len(set(there)) == len(there)
        odd = [url for url in there if not url.startswith(("http://", "https://")) or " " in url]
        assert odd == [], "a number comes as text: quote it, as by urllib.parse.quote(invoice_id, safe='')"

    def test_remember_user_is_kept_with_the_client(self, side: OtherSide) -> None:
        side.needs("remember_user")
        client = side.some_client()
        for user_id in (7, 7, 42):
            side.billing().remember_user(client.id, user_id)
            assert side.remembered_user(client.id) == user_id

    def test_remember_user_of_nobody_is_a_no(self, side: OtherSide) -> None:
        """What was not kept is not said to be."""
        side.needs("remember_user")
        side.some_client()
        with pytest.raises((NotFound, Refused)):
            side.billing().remember_user(NOBODY, 7)

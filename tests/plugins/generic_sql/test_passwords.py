"""Passwords and the hashes of them, as PHP and this adapter write them."""

import shutil
import subprocess

import pytest

from tollbridge import Refused
from tollbridge_generic_sql import passwords
from tollbridge_generic_sql.passwords import Logins, hashed, matches

PASSWORD = "Zoës Pferd 9"
# Made by PHP 8.2's password_hash.
PHP = {
    "bcrypt": "$2y$06$eaC9idJwqoyhgMtpb6clBezArPdh.7k6.ntQcOLxNygQ/pt02t7uK",
    "argon2id": "$argon2id$v=19$m=1024,t=2,p=1$dm9pWC9oSk5BZWkuQTkyLw$zHluEh6Hop0B6WzUb5ixIrh8KoLhyg5Tc6IsIpzJROE",
    "argon2i": "$argon2i$v=19$m=1024,t=2,p=1$UlRzclZOTUV3VlpJdGUueg$hfUpGBOazl2Nj1N1zBAkMBG72nZS5dfRp29+FCVWREU",
}
PHP_OF_73_BYTES = "$2y$06$2hRJw/uUl5QsEHlGfgO6funoD37vzYcWLCgN2viDFSdU.SpMZsPmy"
PHP_PROGRAM = shutil.which("php")
SCHEMES: list[passwords.Scheme] = ["bcrypt", "argon2id"]


@pytest.mark.parametrize("stored", PHP.values(), ids=PHP)
def test_a_hash_of_phps_fits_its_password_and_no_other(stored: str) -> None:
    assert matches(PASSWORD, stored)
    assert not matches("Zoes Pferd 9", stored)
    assert not matches("", stored)


@pytest.mark.parametrize("name", ["$2a$", "$2b$", "$2y$"])
def test_bcrypt_has_three_names(name: str) -> None:
    assert matches(PASSWORD, name + PHP["bcrypt"][4:])


def test_bcrypt_counts_72_bytes_as_php_does() -> None:
    """PHP made the hash of 72 times x and a y, and leaves the y out."""
    assert matches("x" * 72, PHP_OF_73_BYTES)
    assert matches("x" * 72 + "other", PHP_OF_73_BYTES)
    assert not matches("x" * 71, PHP_OF_73_BYTES)
    assert matches("ö" * 40, hashed("ö" * 40, "bcrypt")), "and the 72nd byte may be half a letter"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_new_hash_fits_its_password_and_is_never_the_same(scheme: passwords.Scheme) -> None:
    first, second = hashed(PASSWORD, scheme), hashed(PASSWORD, scheme)
    assert first != second
    assert matches(PASSWORD, first)
    assert matches(PASSWORD, second)
    assert not matches("Zoes Pferd 9", first)
    assert first.startswith({"bcrypt": "$2y$12$", "argon2id": "$argon2id$v=19$m=65536,"}[scheme])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.skipif(PHP_PROGRAM is None, reason="PHP is not installed")
def test_php_takes_a_new_hash_and_knows_what_it_is(scheme: passwords.Scheme) -> None:
    script = 'echo json_encode([password_verify($argv[1], $argv[2]), password_get_info($argv[2])["algoName"]]);'
    command = [PHP_PROGRAM or "", "-r", script, "--", PASSWORD, hashed(PASSWORD, scheme)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f'[true,"{scheme}"]'


def test_bcrypt_makes_no_hash_of_a_password_that_it_would_end_early() -> None:
    """Else whoever knows what stands before the zero byte could log in where PHP compares."""
    with pytest.raises(Refused, match="zero byte"):
        hashed("abc\0def", "bcrypt")
    assert not matches("Zoës Pferd 9\0more", PHP["bcrypt"])
    assert matches("abc\0def", hashed("abc\0def", "argon2id"))


@pytest.mark.parametrize(
    "stored",
    [
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "plain text",
        "$1$salt$abcdefghijklmnopqrstu.",
        PHP["bcrypt"][:-1],
        PHP["bcrypt"].replace("$06$", "$99$"),
        "$2y$",
        "$argon2id$",
        "$argon2id$ö",
        PHP["argon2id"][:-2],
        PHP["argon2id"].replace("argon2id", "argon2d"),
    ],
)
def test_any_other_hash_is_refused_by_the_clients_number_and_not_shown(stored: str) -> None:
    with pytest.raises(Refused, match=r"client 7 cannot log in: .*give it a new password") as caught:
        Logins("bcrypt").whose(PASSWORD, [{"id": 7, "password_hash": stored}])
    assert stored not in str(caught.value).replace("($2a$, $2b$, $2y$)", "").replace("($argon2id$, $argon2i$)", "")
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_nobody_logs_in_without_a_hash(nothing: str | None) -> None:
    assert Logins("bcrypt").whose("", [{"id": 7, "password_hash": nothing}]) == set()
    assert Logins("bcrypt").whose(PASSWORD, [{"id": 7, "password_hash": nothing}]) == set()


def test_a_hash_may_have_blanks_behind_it_as_a_char_column_gives_it() -> None:
    assert Logins("bcrypt").whose(PASSWORD, [{"id": "7", "password_hash": PHP["bcrypt"] + " " * 20}]) == {7}


@pytest.mark.parametrize("found", [[], [{"id": 7, "password_hash": None}], [{"id": 7, "password_hash": "md5"}]])
def test_where_nothing_can_be_compared_the_last_hash_is(
    found: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the time tells nothing, though a hash of PHP's may cost a fraction of one of ours."""
    compared: list[str] = []
    logins = Logins("argon2id")

    def spied(password: str, stored: str) -> bool:
        compared.append(stored)
        return matches(password, stored)

    monkeypatch.setattr(passwords, "matches", spied)
    assert logins.whose("wrong", [{"id": 1, "password_hash": PHP["bcrypt"]}]) == set()
    try:
        assert logins.whose(PASSWORD, found) == set(), "though it fits the hash that is compared with"
    except Refused:
        assert found
    assert [each for each in compared if each != "md5"] == [PHP["bcrypt"], PHP["bcrypt"]]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_first_comparison_of_all_costs_as_much_as_a_new_hash(scheme: passwords.Scheme) -> None:
    ours, new = passwords._NOBODYS[scheme], hashed(PASSWORD, scheme)
    assert ours.split("$")[:-1][:3] == new.split("$")[:-1][:3], "the same parameters"
    assert not matches("", ours)

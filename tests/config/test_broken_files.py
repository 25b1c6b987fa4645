"""Whatever is done to a good bridge.toml, it loads or is refused as a whole, and no secret is shown."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.files import API_TOKEN, BRIDGE_TOKEN, PASSWORD, SECRETS, load, valid
from tollbridge.errors import ConfigError

VARIABLES = {"SOLUS_API_TOKEN": API_TOKEN, "BRIDGE_TOKEN": BRIDGE_TOKEN, "DB_PASSWORD": PASSWORD}
REFERENCES = st.sampled_from([*(f"${{{name}}}" for name in VARIABLES), "${file:acme.secret}", "${NOWHERE}", "x${"])
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | WORDS
    | REFERENCES
    | st.builds("{}{}".format, WORDS, REFERENCES)
    | st.sampled_from(["https://", "http://[", "1e9999999", "2026-13", "UTC"])
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("bridge")
    (made / "acme.secret").write_text(PASSWORD, encoding="utf-8")
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(VARIABLES)
    yield made
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every value of the tree, as the container and the key it is under."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, value in items for place in [(tree, key), *_places(value)]]


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    tree = valid()
    for _ in range(draw(st.integers(1, 4))):
        places = _places(tree)
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(["drop", "replace", "add", "move"])):
            case "drop":
                del holder[key]
            case "replace":
                holder[key] = draw(VALUES)
            case "add" if isinstance(holder, dict):
                holder[draw(WORDS)] = draw(VALUES)
            case _ if isinstance(holder, dict):
                holder[draw(st.sampled_from(["url", "port", "token", "start", "Start", "secret"]))] = holder.pop(key)
            case _:
                holder.append(holder[key])
    return tree


@settings(max_examples=400, deadline=None)
@given(tree=broken())
def test_a_broken_file_is_nothing_worse_than_a_config_error_and_never_shows_a_secret(
    folder: Path, tree: dict[str, Any]
) -> None:
    try:
        load(folder, tree)
    except ConfigError as error:
        shown, problems = f"{error} {error!r} {error.problems}", error.problems
    else:
        return
    assert problems
    assert all(problem.partition(": ")[2] for problem in problems)
    assert "not valid TOML" not in shown
    assert [secret for secret in SECRETS if secret in shown] == []


@settings(max_examples=150, deadline=None)
@given(table=st.sampled_from(["solus", "pricing", "billing", "accounts", "server", "ledger"]), key=WORDS, value=VALUES)
def test_an_unknown_key_is_always_reported_under_its_own_name(folder: Path, table: str, key: str, value: Any) -> None:
    tree = valid()
    name = f"x-{key}"
    tree[table][name] = value
    with pytest.raises(ConfigError) as caught:
        load(folder, tree)
    assert any(problem.startswith(f"{table}.{name}") for problem in caught.value.problems)


@settings(deadline=None)
@given(wrong=st.sets(st.sampled_from(range(5)), min_size=1))
def test_no_problem_hides_another(folder: Path, wrong: set[int]) -> None:
    mistakes = [("solus", "url", "nowhere"), ("billing", "start", "now"), ("server", "port", 0),
                ("accounts", "on_closed", "forget"), ("adapter", "amce", {})]  # fmt: skip
    tree = valid()
    for number in wrong:
        table, key, value = mistakes[number]
        tree[table][key] = value
    with pytest.raises(ConfigError) as caught:
        load(folder, tree)
    assert {problem.partition(":")[0] for problem in caught.value.problems} == {
        ".".join(mistakes[number][:2]) for number in wrong
    }

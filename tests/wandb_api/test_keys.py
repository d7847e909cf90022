"""Keys and scopes: who gets in, and what each may do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.agent.environment import wandb_environment
from controller.client import connection
from controller.client.returning import Reach
from controller.domain.replies import RunOrder
from controller.domain.runkeys import run_key
from controller.domain.wire import WireError
from controller.runtime import tcp
from controller.settings import Home
from controller.wandb_api.callers import Scope
from controller.wandb_api.guard import key_of
from controller.wandb_api.keys import KeyFile, secret_of
from tests.wandb_api.shop import (
    CREATE_AGENT,
    DELETE_RUN,
    HEARTBEAT,
    SECRET,
    UPSERT_BUCKET,
    UPSERT_SWEEP,
    Shop,
    Tell,
    grid,
)


def test_key_has_40_hex_digits_and_only_its_digest_is_kept(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    key = file.mint(Scope.AGENT, "project")
    assert re.fullmatch("[0-9a-f]{40}", key)
    assert key not in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600
    found = KeyFile(file.path).find(key, 0.0)
    assert found is not None
    assert (found.scope, found.subject) == (Scope.AGENT, "project")


def test_key_made_by_another_process_is_found_at_once(tmp_path: Path) -> None:
    here = KeyFile(tmp_path / "keys.json")
    assert here.find("0" * 40, 0.0) is None
    key = KeyFile(here.path).mint(Scope.VIEW)
    assert here.find(key, 0.0) is not None


def test_key_file_open_to_others_is_not_believed(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    key = file.mint(Scope.ADMIN)
    file.path.chmod(0o644)
    assert KeyFile(file.path).find(key, 0.0) is None


def test_key_file_that_cannot_be_read_for_a_while_shuts_nobody_out(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    key = file.mint(Scope.ADMIN)
    assert file.find(key, 0.0) is not None
    kept = file.path.read_text()
    file.path.write_text("half")
    assert file.find(key, 100.0) is not None
    with pytest.raises(WireError):
        file.mint(Scope.VIEW)
    assert file.path.read_text() == "half"
    file.path.write_text(kept)
    assert file.find(key, 200.0) is not None
    file.path.unlink()
    assert file.find(key, 300.0) is None


def test_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "run.secret"
    assert secret_of(path) == secret_of(path)
    assert len(secret_of(path)) == 64
    assert path.stat().st_mode & 0o777 == 0o600


def test_agent_key_deletes_no_run(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        await shop.stream(run_id, complete=True, exitcode=0)
        key = KeyFile(shop.home.keys).mint(Scope.AGENT, "uncategorized")
        assert "may not" in await shop.ask(DELETE_RUN, key=key, status=403, id=run_id)
        assert not shop.run(run_id).deleted

    tell(story)


def test_agent_key_works_for_its_project_and_registers_nothing(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep()
        other = await shop.ask(UPSERT_SWEEP, config=grid(2), projectName="other")
        other_id = other["upsertSweep"]["sweep"]["name"]
        key = KeyFile(shop.home.keys).mint(Scope.AGENT, "uncategorized")
        await shop.ask(CREATE_AGENT, host="h", sweep=sweep_id, key=key)
        before = shop.world.facts()
        assert "may not" in await shop.ask(CREATE_AGENT, host="h", sweep=other_id, key=key, status=403)
        await shop.ask(HEARTBEAT, id=f"wandb-{other_id}-01234567", key=key, status=403)
        await shop.ask(UPSERT_SWEEP, config=grid(2), key=key, status=403)
        await shop.ask(UPSERT_SWEEP, id=sweep_id, state="CANCELED", key=key, status=403)
        query = f'{{ project {{ sweep(sweepName: "{other_id}") {{ id }} }} }}'
        assert (await shop.ask(query, key=key))["project"]["sweep"] is None
        assert shop.world.facts() == before

    tell(story)


def test_view_key_looks_and_changes_nothing(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep()
        _, run_id = await shop.started(sweep_id)
        key = KeyFile(shop.home.keys).mint(Scope.VIEW)
        before = shop.world.facts()
        query = f'{{ project {{ sweep(sweepName: "{sweep_id}") {{ id }} }} }}'
        assert (await shop.ask(query, key=key))["project"]["sweep"]["id"] == sweep_id
        await shop.ask(CREATE_AGENT, host="h", sweep=sweep_id, key=key, status=403)
        await shop.ask(UPSERT_BUCKET, name=run_id, key=key, status=403)
        await shop.stream(run_id, key=key, status=403)
        assert shop.world.facts() == before

    tell(story)


def test_run_key_reports_to_its_run_and_dies_with_it(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        other_id = await shop.next_run(await shop.agent(shop.run(run_id).sweep_id))
        token = shop.run(run_id).token
        assert token is not None
        key = run_key(SECRET, run_id, token)
        await shop.ask(UPSERT_BUCKET, name=run_id, key=key)
        assert await shop.stream(run_id, key=key) == {}
        before = shop.run(other_id)
        await shop.stream(other_id, key=key, status=403)
        await shop.ask(UPSERT_BUCKET, name=other_id, key=key, status=403)
        await shop.ask(HEARTBEAT, id=agent_id, key=key, status=403)
        found = await shop.ask(f'{{ project {{ run(name: "{other_id}") {{ id }} }} }}', key=key)
        assert found["project"]["run"] is None
        assert shop.run(other_id) == before
        # A further attempt of the run has a key of its own.
        await shop.stream(run_id, preempting=True)
        await shop.stream(run_id, complete=True, exitcode=1)
        assert await shop.next_run(agent_id) == run_id
        await shop.stream(run_id, key=key, status=401)

    tell(story)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Basic YXBpOmtleQ==", "key"),
        ("basic YXBpOmtleQ==", "key"),
        ("Bearer key", "key"),
        ("Basic YXBp", None),
        ("Basic ***", None),
        ("Basic /w==", None),
        ("Digest x", None),
        ("", None),
    ],
)
def test_authorization_is_basic_or_bearer(header: str, key: str | None) -> None:
    assert key_of(header) == key


def test_keys_are_minted_for_the_scope_that_was_asked_for(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.path.mkdir(mode=0o700)
    for view, scope in ((False, Scope.ADMIN), (True, Scope.VIEW)):
        key = tcp.mint_key(home, None, "me", view=view)
        found = KeyFile(home.keys).find(key, 0.0)
        assert found is not None
        assert (found.scope, found.label) == (scope, "me")
    assert tcp.bundle_for(home, "http://127.0.0.1:1") is None
    assert tcp.bundle_for(home, "https://127.0.0.1:1") == home.tls / "bundle.pem"


def test_own_agents_give_each_run_a_key_of_its_own(tmp_path: Path) -> None:
    home = Home(tmp_path)
    order = RunOrder(run_id="run00001", name="r", number=1, token=7, attempt=1, config={})
    assert wandb_environment(home, order, {}) == {}
    secret = secret_of(home.secret)
    where = connection.Connection(
        host="h", boot_id="", pid=1, socket="", instance="i", started_at=0.0, version="1",
        wandb_url="https://127.0.0.1:8443",
    )  # fmt: skip
    connection.write(home.connection, where)
    env = wandb_environment(home, order, {"WANDB_CONSOLE": "wrap"})
    assert env["WANDB_BASE_URL"] == where.wandb_url
    assert env["WANDB_API_KEY"] == run_key(secret, "run00001", 7)
    assert env["WANDB_API_KEY"] != run_key(secret, "run00001", 8)
    assert env["SSL_CERT_FILE"] == env["REQUESTS_CA_BUNDLE"] == str(home.tls / "bundle.pem")
    assert env["WANDB_CONSOLE"] == "wrap"
    assert env["no_proxy"] == env["NO_PROXY"] == "127.0.0.1"
    assert wandb_environment(home, order, {"NO_PROXY": "a,b"})["NO_PROXY"] == "a,b,127.0.0.1"
    reach = Reach()
    reach.address = "10.0.0.1:8443"
    assert wandb_environment(home, order, {}, reach)["WANDB_BASE_URL"] == "https://10.0.0.1:8443"
    reach.is_slow = True
    assert wandb_environment(home, order, {}, reach) == {"WANDB_MODE": "offline"}
    assert wandb_environment(home, order, {"WANDB_MODE": "disabled"}, reach) == {}

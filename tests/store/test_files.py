"""The file itself: made whole, private, brought up to date, and left alone when it is not ours (D5, J8)."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from controller.store import Store, StoreDamagedError, StoreError, StoreNewerError, schema
from controller.store.place import NETWORK_TYPES, file_system
from tests.store.scene import a_scene, steps


def filled(path: Path) -> Path:
    store = Store.open(path)
    scene = a_scene()
    scene.tell(records=[steps(1, 1, 2_000)])
    store.commit(scene.delta()).result()
    store.close()
    return path


def sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.close()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_every_file_is_the_owners_alone(store: Store, umask: int) -> None:
    before = os.umask(umask)
    try:
        store.commit(a_scene().delta()).result()
        store.backup(store.path.parent / "backups")
        another = Store.open(store.path.parent / "deep" / "er" / "store.sqlite3")
        another.commit(a_scene().delta()).result()
        found = list(store.path.parent.rglob("*"))
        modes = {name.name: stat.S_IMODE(name.stat().st_mode) for name in found}
        another.close()
    finally:
        os.umask(before)
    assert {"store.sqlite3", "store-000001.sqlite3"} <= set(modes)
    assert {mode for name, mode in modes.items() if ".sqlite3" in name} == {0o600}
    assert {mode for name, mode in modes.items() if ".sqlite3" not in name} == {0o700}


def test_a_wide_open_file_is_closed_to_others(path: Path) -> None:
    filled(path).chmod(0o666)
    Store.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_lies_beside_a_closed_store(path: Path) -> None:
    filled(path)
    assert [name.name for name in path.parent.iterdir()] == [path.name]


def test_a_store_goes_from_local_to_network_and_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    for network in (True, False, True):
        monkeypatch.setattr("controller.store.store.is_network", lambda _, network=network: network)
        store = Store.open(path)
        store.commit(a_scene().delta()).result()
        assert len(store.load().runs) == 1
        assert path.with_name(path.name + "-wal").exists() is not network
        assert not (network and path.with_name(path.name + "-shm").exists())
        store.close()


def test_a_network_store_keeps_others_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.store.store.is_network", lambda _: True)
    store = Store.open(filled(path))
    stranger = sqlite3.connect(path, timeout=0)
    with pytest.raises(sqlite3.OperationalError) as refused:
        stranger.execute("SELECT * FROM runs")
    assert refused.value.sqlite_errorcode == sqlite3.SQLITE_BUSY
    stranger.close()
    store.close()


def test_an_unfinished_new_store_is_made_anew(path: Path) -> None:
    path.parent.mkdir()
    path.with_name(path.name + ".new").write_bytes(b"cut off")
    filled(path)
    assert [name.name for name in path.parent.iterdir()] == [path.name]


DAMAGES = {
    "emptied": lambda body: b"",
    "cut in half": lambda body: body[: len(body) // 2],
    "not ours at all": lambda body: b"method: random\n" * 1_000,
    "zeroed header": lambda body: bytes(100) + body[100:],
    "zeroed page": lambda body: body[:12_288] + bytes(4_096) + body[16_384:],
    "page of ones": lambda body: body[:-8_192] + b"\xff" * 4_096 + body[-4_096:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_with_instructions_and_left_untouched(path: Path, damage: str) -> None:
    filled(path)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(StoreDamagedError, match="damaged") as refused:
        Store.open(path)
    assert ".recover" in refused.value.hint
    assert path.read_bytes() == before


def test_a_log_without_its_store_is_refused(path: Path) -> None:
    filled(path)
    path.rename(path.with_name(path.name + "-wal"))
    with pytest.raises(StoreDamagedError):
        Store.open(path)
    assert not path.exists()


def test_a_row_that_is_no_word_of_ours_is_damage(path: Path) -> None:
    sql(filled(path), "UPDATE runs SET body = '{}'")
    store = Store.open(path)
    with pytest.raises(StoreDamagedError):
        store.load()
    store.close()


def test_another_programs_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    sql(path, "CREATE TABLE sweeps (id)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a store of this program"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused_and_left_untouched(path: Path) -> None:
    sql(filled(path), "PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreNewerError, match="schema 99") as refused:
        Store.open(path)
    assert "Update the program" in refused.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize("network", [False, True])
def test_an_older_store_is_backed_up_and_migrated(
    path: Path, monkeypatch: pytest.MonkeyPatch, network: bool
) -> None:
    monkeypatch.setattr("controller.store.store.is_network", lambda _: network)
    filled(path)
    scripts = (*schema.migrations(), "ALTER TABLE runs ADD COLUMN colour TEXT;", "CREATE TABLE tags (id);")
    monkeypatch.setattr(schema, "migrations", lambda: scripts)
    store = Store.open(path)
    assert len(store.load().runs) == 1
    store.close()
    sql(path, "SELECT colour FROM runs", "SELECT * FROM tags")
    copy = path.parent / "backups" / "before-schema-4.sqlite3"
    with sqlite3.connect(copy) as connection:
        assert schema.version_of(connection) == 2
        assert connection.execute("SELECT count(*) FROM points").fetchone() == (1_999,)
    connection.close()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    ours = schema.migrations()
    monkeypatch.setattr(schema, "migrations", lambda: (*ours, "DELETE FROM runs; SELECT * FROM nowhere;"))
    with pytest.raises(StoreError):
        Store.open(path)
    monkeypatch.setattr(schema, "migrations", lambda: ours)
    store = Store.open(path)
    assert len(store.load().runs) == 1
    store.close()


def test_backups_are_whole_and_only_the_newest_are_kept(store: Store, tmp_path: Path) -> None:
    copies = []
    for n in range(6):
        scene = a_scene()
        scene.tell(records=[steps(1, 1, 10 * n + 2)])
        store.commit(scene.delta()).result()
        copies.append(store.backup(tmp_path / "copies", keep=3))
    assert sorted((tmp_path / "copies").iterdir()) == copies[-3:]
    copied = Store.open(copies[-1])
    assert copied.load() == store.load()
    copied.close()


def test_a_backup_that_cannot_be_made_says_so(store: Store, tmp_path: Path) -> None:
    (tmp_path / "copies").write_text("a file")
    with pytest.raises(StoreError):
        store.backup(tmp_path / "copies")
    assert store.commit(a_scene().delta()).result() is None


def test_a_directory_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StoreError) as refused:
        Store.open(tmp_path / "home" / "store.sqlite3")
    assert refused.value.hint


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
41 40 0:41 / /home/me/my\\040disk rw - xfs /dev/sdb1 rw
42 22 0:42 / /scratch rw master:3 - lustre 10.0.0.1@tcp:/scratch rw
43 22 0:43 / /cloud rw - fuse.sshfs host: rw
44 22 0:44 / /over rw - nfs a:/over rw
45 22 0:45 / /over rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind", "network"),
    [
        ("/var/x", "ext4", False),
        ("/home/me/x", "nfs4", True),
        ("/home/me/my disk/x", "xfs", False),
        ("/homework/x", "ext4", False),
        ("/scratch", "lustre", True),
        ("/cloud/x", "fuse.sshfs", True),
        ("/over/x", "tmpfs", False),
    ],
)
def test_a_place_is_known_by_the_mount_table(path: str, kind: str, network: bool) -> None:
    assert file_system(Path(path), MOUNTS) == kind
    assert (NETWORK_TYPES.fullmatch(kind) is not None) is network

"""Files that programs send: by signed paths, streamed to disk (points 10.1 and 10.2 of the checklist)."""

from __future__ import annotations

from tests.wandb_api.shop import Shop, Tell


def test_10_2_upload_paths_are_signed(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        url = await upload_url(shop, run_id, "media/../../a b.png")
        async with shop.session.put(url, data=b"picture") as answer:
            assert answer.status == 200
        async with shop.session.get(url) as answer:
            assert await answer.read() == b"picture"
        other = url.replace(run_id, "aaaaaaaa")
        for wrong in (other, url + "x", url.replace("a%20b", "c")):
            async with shop.session.put(wrong, data=b"x") as answer:
                assert answer.status in (403, 404)
        kept = [path for path in shop.home.files.rglob("*") if path.is_file()]
        assert [path.parent for path in kept] == [shop.home.files / run_id]
        for place in (kept[0], kept[0].parent, shop.home.files):
            assert place.stat().st_mode & 0o077 == 0

    tell(story)


async def upload_url(shop: Shop, run_id: str, name: str) -> str:
    made = await shop.ask(
        """mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) {
        createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, files: $files}) {
        runID uploadHeaders files { name uploadUrl } } }""",
        entity="e", project="p", run=run_id, files=[name],
    )  # fmt: skip
    url: str = made["createRunFiles"]["files"][0]["uploadUrl"]
    return url


def test_10_1_upload_beyond_the_limit_of_bodies_is_streamed_to_disk(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())

        async def body():  # type: ignore[no-untyped-def]
            for _ in range(70):
                yield bytes(2**20)

        url = await upload_url(shop, run_id, "weights.bin")
        async with shop.session.put(url, data=body()) as answer:
            assert answer.status == 200
        assert (shop.home.files / run_id / "weights.bin").stat().st_size == 70 * 2**20

    tell(story)

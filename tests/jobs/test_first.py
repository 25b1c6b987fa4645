from tests.world import World


def test_slice(world: World) -> None:
    world.add_client(1042)
    user = world.add_user(1042)
    world.run_server(user, 700)
    with world.run("2026-07-01") as run:
        world.panel.set_time(__import__("datetime").datetime(2026, 7, 1, 4, tzinfo=__import__("datetime").UTC))
        a, i, o = run.daily()
    assert [(e.reference, str(e.subtotal)) for e, _ in world.invoices] == [("TB-2026-06-1042", "4.90")]

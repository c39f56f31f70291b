"""Nodes that stand still, and ways between them and to PostgreSQL that are cut: what a client sees, and that all is well after it."""

import requests
from cluster import cluster, database, until  # noqa: F401


def test_a_node_without_the_database_passes_on_and_is_shown_as_dead(cluster):
    leader, (alone, _) = cluster.leader(), cluster.followers()
    for way in ({}, {"there": False}):
        alone.to_postgres.cut(**way)
        until(lambda: not cluster.shown()[alone.name]["alive"], "it is shown as alive", 15)
        answer = requests.get(f"{alone.api}/nodes", headers=cluster.headers(), timeout=5)
        assert answer.status_code == 200, "it knows who leads"
        alone.to_postgres.repair()
        until(lambda: cluster.shown()[alone.name]["alive"], "it does not come back", 20)
    assert cluster.leader() is leader and cluster.shown()[leader.name]["term"] == 1
    cluster.all_are_well()

#!/usr/bin/env python3
"""Checks the Helm chart with Helm itself (the library of helm-python-sdk): lint, the schema of the values, and what is rendered, as
objects that Kubernetes accepts (kubernetes-validate) and with the fields that Evenwatt needs.

Usage: scripts/with-postgres helm.py CHART BINARY
The server's program has to accept the configuration and the variables that the pod would get.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import tomllib

import helm_python as helm
import kubernetes_validate
import yaml

NAME = "depot-evenwatt"
VERSIONS = ("1.28", "1.37")


def rendered(chart, values):
    """What Helm makes of the values: (kind, name) to the object."""
    objects = {}
    for path, text in chart.render(values, name="depot", namespace="charging").items():
        if path.endswith("NOTES.txt"):
            continue
        for document in yaml.safe_load_all(text):
            if not document:
                continue
            key = document["kind"], document["metadata"]["name"]
            assert key not in objects, f"{key} twice"
            objects[key] = document
            if document["apiVersion"] != "monitoring.coreos.com/v1":
                for version in VERSIONS:
                    kubernetes_validate.validate(document, version, strict=True)
    return objects


def pod_of(objects):
    return objects["StatefulSet", NAME]["spec"]["template"]["spec"]


def env_of(objects):
    return {one["name"]: one.get("value") for one in pod_of(objects)["containers"][0]["env"]}


def refused(chart, values):
    try:
        chart.validate_schema(values)
    except helm.HelmError:
        return True
    return False


def check_defaults(chart):
    objects = rendered(chart, {})
    assert {kind for kind, _ in objects} == {"StatefulSet", "Service", "ConfigMap", "ServiceAccount"}, objects.keys()
    spec, pod = objects["StatefulSet", NAME]["spec"], pod_of(objects)
    container = pod["containers"][0]
    assert spec["replicas"] == 1
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
    assert objects["Service", NAME]["spec"]["selector"] == spec["selector"]["matchLabels"]
    assert [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]] == ["data"]
    assert pod["enableServiceLinks"] is False and pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["fsGroup"] == 10001
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert container["image"].endswith("/evenwatt:0.2.0"), container["image"]
    assert container["command"][-1].endswith(">/dev/null")
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    env = env_of(objects)
    assert env["EVENWATT_HTTP_LISTEN"].endswith(f":{ports['http']}") and env["EVENWATT_HTTP_METRICS_LISTEN"].endswith(f":{ports['metrics']}")
    assert env["EVENWATT_STORE_URL"].startswith("sqlite:///var/lib/evenwatt/")
    assert "EVENWATT_HTTP_PUBLIC_URL" not in env and "envFrom" not in container
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod["volumes"]} | {"data"}, mounts
    tomllib.loads(objects["ConfigMap", NAME]["data"]["evenwatt.toml"])
    assert pod["terminationGracePeriodSeconds"] > 10 and "topologySpreadConstraints" not in pod
    assert not any(name.startswith("EVENWATT_CLUSTER") for name in env)
    return objects


def check_everything(chart):
    values = {
        "store": {"kind": "postgres"}, "secret": {"DATABASE_URL": "postgres://a:b@c/d"}, "trustedProxies": ["10.0.0.0/8", "192.0.2.1"],
        "ingress": {"enabled": True, "host": "charge.example.com", "tlsSecret": "charge-tls"}, "discardGreeting": False,
        "metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}}, "priorityClassName": "high",
        "env": [{"name": "EVENWATT_OCPP_HEARTBEAT_SECONDS", "value": "60"}], "imagePullSecrets": [{"name": "registry"}],
        "image": {"digest": "sha256:" + "0" * 64}, "nodeSelector": {"disk": "ssd"}, "tolerations": [{"key": "a", "operator": "Exists"}],
        "podLabels": {"team": "energy"}, "podAnnotations": {"a": "b"}, "serviceAccount": {"annotations": {"c": "d"}},
        "affinity": {"nodeAffinity": {}}, "service": {"type": "LoadBalancer", "port": 8080, "annotations": {"e": "f"}},
    }
    objects = rendered(chart, values)
    assert {kind for kind, _ in objects} == {
        "StatefulSet", "Service", "ConfigMap", "ServiceAccount", "Secret", "Ingress", "ServiceMonitor"}, objects.keys()
    env, container = env_of(objects), pod_of(objects)["containers"][0]
    assert env["EVENWATT_HTTP_PUBLIC_URL"] == "wss://charge.example.com"
    assert env["EVENWATT_HTTP_TRUSTED_PROXIES"] == "10.0.0.0/8,192.0.2.1"
    assert env["EVENWATT_OCPP_HEARTBEAT_SECONDS"] == "60" and "EVENWATT_STORE_URL" not in env
    assert container["envFrom"] == [{"secretRef": {"name": NAME}}] and "command" not in container
    assert objects["Secret", NAME]["stringData"]["DATABASE_URL"] == "postgres://a:b@c/d"
    assert "volumeClaimTemplates" not in objects["StatefulSet", NAME]["spec"]
    assert "@sha256:" in container["image"]
    ingress = objects["Ingress", NAME]
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "3600"
    assert ingress["spec"]["tls"][0]["hosts"] == ["charge.example.com"]
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == NAME and backend["port"]["name"] in {port["name"] for port in objects["Service", NAME]["spec"]["ports"]}
    monitor = objects["ServiceMonitor", NAME]["spec"]
    metrics = objects["Service", f"{NAME}-metrics"]
    assert monitor["selector"]["matchLabels"].items() <= metrics["metadata"]["labels"].items()
    assert not monitor["selector"]["matchLabels"].items() <= objects["Service", NAME]["metadata"]["labels"].items()
    assert metrics["metadata"]["labels"][monitor["jobLabel"]] == "evenwatt"
    assert monitor["endpoints"][0]["port"] == metrics["spec"]["ports"][0]["name"]
    existing = rendered(chart, {**values, "existingSecret": "mine"})
    assert ("Secret", NAME) not in existing
    assert pod_of(existing)["containers"][0]["envFrom"] == [{"secretRef": {"name": "mine"}}]
    return objects


def check_cluster(chart):
    """Nodes have names that stay, find each other, share a secret, and are away one at a time."""
    secret = "0123456789abcdef" * 4
    values = {
        "store": {"kind": "postgres"}, "cluster": {"enabled": True, "replicas": 4, "port": 8123, "spread": "required"},
        "secret": {"DATABASE_URL": "postgres://a:b@c/d?sslmode=verify-full&sslrootcert=system", "EVENWATT_CLUSTER_SECRET": secret},
    }
    objects = rendered(chart, values)
    assert {kind for kind, _ in objects} == {
        "StatefulSet", "Service", "ConfigMap", "ServiceAccount", "Secret", "PodDisruptionBudget", "NetworkPolicy"}, objects.keys()
    spec, pod = objects["StatefulSet", NAME]["spec"], pod_of(objects)
    container, labels = pod["containers"][0], spec["template"]["metadata"]["labels"]
    assert spec["replicas"] == 4 and spec["podManagementPolicy"] == "Parallel" and spec["updateStrategy"] == {"type": "RollingUpdate"}
    assert pod["terminationGracePeriodSeconds"] >= 90 and "lifecycle" not in container
    assert "volumeClaimTemplates" not in spec
    nodes = objects["Service", spec["serviceName"]]["spec"]
    assert nodes["clusterIP"] == "None" and nodes["publishNotReadyAddresses"] is True
    assert nodes["selector"].items() <= labels.items()
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert nodes["ports"][0]["port"] == ports[nodes["ports"][0]["targetPort"]] == 8123
    env = {one["name"]: one for one in container["env"]}
    assert env["EVENWATT_CLUSTER_NODE"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert env["EVENWATT_CLUSTER_LISTEN"]["value"] == "0.0.0.0:8123"
    assert env["EVENWATT_CLUSTER_ADDRESS"]["value"] == f"http://$(EVENWATT_CLUSTER_NODE).{spec['serviceName']}:8123"
    # Kubernetes puts in only what stands before.
    order = [one["name"] for one in container["env"]]
    assert order.index("EVENWATT_CLUSTER_NODE") < order.index("EVENWATT_CLUSTER_ADDRESS")
    assert container["envFrom"] == [{"secretRef": {"name": NAME}}]
    assert objects["Secret", NAME]["stringData"]["EVENWATT_CLUSTER_SECRET"] == secret
    budget = objects["PodDisruptionBudget", NAME]["spec"]
    assert budget["maxUnavailable"] == 1 and budget["selector"]["matchLabels"].items() <= labels.items()
    constraint = pod["topologySpreadConstraints"][0]
    assert constraint["topologyKey"] == "kubernetes.io/hostname" and constraint["whenUnsatisfiable"] == "DoNotSchedule"
    assert constraint["labelSelector"]["matchLabels"].items() <= labels.items()
    # Nobody but a node gets to the port between nodes, and everybody to the others.
    ingress = objects["NetworkPolicy", f"{NAME}-nodes"]["spec"]["ingress"]
    among = {port["port"]: rule.get("from") for rule in ingress for port in rule["ports"]}
    assert among.keys() == ports.keys() and among["http"] is None and among["metrics"] is None
    assert among["cluster"][0]["podSelector"]["matchLabels"].items() <= labels.items()
    existing = rendered(chart, {**values, "secret": {}, "existingSecret": "mine"})
    assert pod_of(existing)["containers"][0]["envFrom"] == [{"secretRef": {"name": "mine"}}]
    for short in ({}, {"EVENWATT_CLUSTER_SECRET": "too short"}):
        try:
            rendered(chart, {**values, "secret": short})
        except helm.HelmError as fault:
            assert "EVENWATT_CLUSTER_SECRET" in str(fault), fault
        else:
            raise AssertionError("a cluster without a secret is rendered")
    return objects


def check_program_accepts(binary, objects, url):
    """Migrates a store in a folder of its own, with the file and the variables of the pod."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "evenwatt.toml")
        file.write_text(objects["ConfigMap", NAME]["data"]["evenwatt.toml"])
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("EVENWATT_", "DATABASE_URL"))}
        node = {"EVENWATT_CLUSTER_NODE": f"{NAME}-0"}  # as Kubernetes fills it in
        given = {name: (value or node[name]).replace("$(EVENWATT_CLUSTER_NODE)", f"{NAME}-0") for name, value in env_of(objects).items()}
        variables.update(objects.get(("Secret", NAME), {}).get("stringData", {}))
        variables.update(given, EVENWATT_CONFIG=str(file), **url(folder))
        done = subprocess.run([binary, "migrate"], env=variables, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def main(path, binary):
    report = helm.lint(path, strict=True)
    findings = [message for message in report["messages"] if message["severity"] >= 2]
    assert not findings and not report["errors"], report
    with helm.Chart.load(path) as chart:
        chart.validate_schema({})
        postgres = {"store": {"kind": "postgres"}}
        for wrong in ({"replicaCount": 2}, {"store": {"kind": "mysql"}}, {"trustedProxies": "10.0.0.0/8"}, {"image": {"digest": "abc"}},
                      {"cluster": {"enabled": True}}, {"cluster": {"enabled": True, "replicas": 1}, **postgres},
                      {"cluster": {"enabled": True}, "terminationGracePeriodSeconds": 30, **postgres}, {"cluster": {"nodes": 3}}):
            assert refused(chart, wrong), f"the schema takes {wrong}"
        defaults, everything, cluster = check_defaults(chart), check_everything(chart), check_cluster(chart)
    check_program_accepts(binary, defaults, lambda folder: {"EVENWATT_STORE_URL": f"sqlite://{folder}/a.db"})
    check_program_accepts(binary, everything, lambda folder: {"DATABASE_URL": f"sqlite://{folder}/b.db"})
    check_program_accepts(binary, cluster, lambda _: {"DATABASE_URL": os.environ["TEST_POSTGRES_URL"]})
    print(f"    Helm {helm.helm_sdk_version()}: lint is clean, {len(defaults)}, {len(everything)} and {len(cluster)} objects are valid for Kubernetes {' and '.join(VERSIONS)}")


main(*sys.argv[1:])

#!/usr/bin/env python3
"""Writes the list of what is built into the program (SBOM, CycloneDX 1.6, JSON): crates, and packages of the web pages.

Usage: make.py VERSION OUT, with SOURCE_DATE_EPOCH in the environment; packaging/sbom/requirements.txt is what it needs.

The library of the CycloneDX project makes and checks the document; what is in it comes from `cargo tree`, which knows features, platform and
licences, and from Cargo.lock and web/package-lock.json. No tool does both without the network: cargo-cyclonedx and `npm sbom` know one half
each, and what reads Cargo.lock or `cargo metadata` alone lists crates of features that are off, of tests and of other platforms. What is
needed for building alone, such as macros and Vite, is marked as excluded from what runs. The same input makes the same bytes.
"""

import base64
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FEATURES, PLATFORM = "postgres-tls", "x86_64-unknown-linux-gnu"
# What npm packages are for at build time; all others end up in the pages.
BUILDS_PAGES = {"vite", "rollup", "@sveltejs/vite-plugin-svelte"}
licences = LicenseFactory()


def reached(start, edges):
    """Everything that can be reached over edges."""
    seen, waiting = set(), list(start)
    while waiting:
        if (one := waiting.pop()) not in seen:
            seen.add(one)
            waiting += edges(one)
    return seen


def component(name, version, kind, licence, digest, runs):
    """A library with its address in the registry of its kind."""
    group, _, short = name.rpartition("/")
    return Component(
        type=ComponentType.LIBRARY,
        group=group or None,
        name=short,
        version=version,
        bom_ref=f"{kind}:{name}@{version}",
        purl=PackageURL(type=kind, namespace=group or None, name=short, version=version),
        licenses=[licences.make_from_string(licence)] if licence else [],
        hashes=[digest] if digest else [],
        scope=ComponentScope.REQUIRED if runs else ComponentScope.EXCLUDED,
    )


def tree(edges):
    """What cargo builds of the program over these edges: each crate with its licence, and what it needs."""
    command = ["cargo", "tree", "--locked", "--package=evenwatt", f"--features={FEATURES}", f"--target={PLATFORM}", f"--edges={edges}"]
    lines = subprocess.run([*command, "--prefix=depth", "--format={p}|{l}"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    licences_of, needs, path = {}, {}, []
    for line in lines.splitlines():
        depth, name, version, licence = re.fullmatch(r"(\d+)(\S+) v(\S+).*?\|(.*?)(?: \(\*\))?", line).groups()
        crate = name, version
        licences_of[crate] = licence
        del path[int(depth) :]
        if path:
            needs.setdefault(path[-1], set()).add(crate)
        path.append(crate)
    return licences_of, needs


def crates():
    """The program's crate, and of all that it is made of a component and the names of what that needs."""
    licences_of, needs = tree("normal,build")
    running, _ = tree("normal,no-proc-macro")
    locked = tomllib.loads((REPOSITORY / "Cargo.lock").read_text())["package"]
    sums = {(package["name"], package["version"]): package.get("checksum") for package in locked}
    found = {}
    for crate, licence in licences_of.items():
        digest = sums[crate] and HashType(alg=HashAlgorithm.SHA_256, content=sums[crate])
        licence = licence.replace(" / ", " OR ").replace("/", " OR ")  # the old spelling of crates
        found[crate] = component(*crate, "cargo", licence, digest, crate in running), sorted(needs.get(crate, ()))
    return next(iter(licences_of)), found


def npm():
    """The packages that the pages need directly, and all of them as above."""
    packages = json.loads((REPOSITORY / "web" / "package-lock.json").read_text())["packages"]

    def place_of(name, user):
        """Where npm finds a package for a user of it: the nearest folder upwards."""
        while True:
            place = f"{user}/node_modules/{name}".lstrip("/")
            if place in packages:
                return place
            if not user:
                return None
            user = user.rpartition("/node_modules/")[0] if "/node_modules/" in user else ""

    def needs(place):
        places = (place_of(name, place) for name in packages[place].get("dependencies", {}))
        return [found for found in places if found]

    running = reached((place for place in needs("") if place.removeprefix("node_modules/") not in BUILDS_PAGES), needs)
    found = {}
    for place in reached(needs(""), needs):
        package, name = packages[place], place.rpartition("node_modules/")[2]
        algorithm, _, digest = package["integrity"].partition("-")
        assert algorithm == "sha512", place
        digest = HashType(alg=HashAlgorithm.SHA_512, content=base64.b64decode(digest).hex())
        found[place] = component(name, package["version"], "npm", package.get("license"), digest, place in running), needs(place)
    return needs(""), found


def main(version, out):
    at = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.UTC)
    (root, found), (pages, of_pages) = crates(), npm()
    program, needed = found.pop(root)
    assert program.version == version, f"Cargo.toml is of {program.version}, not of {version}"
    program.type, program.scope = ComponentType.APPLICATION, None
    program.purl = PackageURL(type="generic", name="evenwatt", version=version)
    bom = Bom(metadata=BomMetaData(component=program, timestamp=at))
    everything = found | of_pages
    by_reference = {one.bom_ref.value: one for one, _ in everything.values()}  # npm may have the same version in two folders
    bom.components.update(by_reference.values())
    bom.register_dependency(program, [by_reference[everything[id][0].bom_ref.value] for id in [*needed, *pages]])
    for one, needs in everything.values():
        if one is by_reference[one.bom_ref.value]:
            bom.register_dependency(one, [by_reference[everything[id][0].bom_ref.value] for id in needs])
    names = "\n".join(sorted(by_reference))
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"evenwatt {version} {at.isoformat()}\n{names}")
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert fault is None, fault
    pathlib.Path(out).write_text(text + "\n")
    runs = sum(one.scope == ComponentScope.REQUIRED for one in by_reference.values())
    print(f"{out}: {len(by_reference)} libraries, of which {runs} are in what runs")


main(*sys.argv[1:])

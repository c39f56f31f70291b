#!/usr/bin/env python3
"""Checks what packaging/release made: names, times, symbols apart, and that the list of what is built in is whole, by what it is not made from:
the names of crates that stand in the program, and `cargo metadata`.

Usage: release.py OUT VERSION, by the Python that has the library of CycloneDX.
"""

import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def said(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def check_files(out, version):
    architecture = said("dpkg", "--print-architecture").strip()
    name = f"evenwatt-{version}-linux-{architecture}"
    wanted = {f"{name}.tar.gz", f"{name}.debug.xz", f"evenwatt_{version}_{architecture}.deb", f"evenwatt-{version}.cdx.json", "SHA256SUMS"}
    found = {path.name for path in out.iterdir()}
    assert found - {f"{name}.image.tar"} == wanted, found
    assert len({int(path.stat().st_mtime) for path in out.iterdir()}) == 1, "the files have different times"
    listed = {line.split("  ")[1] for line in (out / "SHA256SUMS").read_text().splitlines()}
    assert listed == found - {"SHA256SUMS"}, listed
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(out / f"{name}.tar.gz") as archive:
            members = archive.getmembers()
            assert {(one.uid, one.gid) for one in members} == {(0, 0)} and len({one.mtime for one in members}) == 1
            archive.extractall(folder)
        program = pathlib.Path(folder, name, "evenwatt")
        assert said(program, "--version").strip() == f"evenwatt {version}"
        sections = said("readelf", "--sections", "--wide", program)
        assert ".debug_info" not in sections and ".symtab" not in sections and ".gnu_debuglink" in sections, "the symbols are not apart"
        symbols = pathlib.Path(folder, "evenwatt.debug")
        symbols.write_bytes(subprocess.run(["xz", "-dc", out / f"{name}.debug.xz"], check=True, capture_output=True).stdout)
        assert " main" in said("nm", symbols), "the file of symbols has none"
        inside = crates_inside(program.read_bytes())
        speaks_tls = "libssl.so" in said("ldd", program)
    package = said("dpkg-deb", "--field", out / f"evenwatt_{version}_{architecture}.deb", "Version", "Depends")
    assert f"Version: {version}\n" in package and "libc6 (>= " in package and "init-system-helpers" in package, package
    assert ("libssl" in package) == speaks_tls, package
    return inside


def crates_inside(program):
    """The crates whose source is named in the program, as a place where it may panic."""
    found = re.findall(rb"/registry/src/[^/]+/([\w-]+?)-(\d+\.\d+\.\d+[\w.+-]*)/", program)
    return {f"{name.decode()}@{version.decode()}" for name, version in found}


def check_bom(path, version, inside):
    text = path.read_text()
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert fault is None, fault
    bom = json.loads(text)
    assert bom["metadata"]["component"]["version"] == version
    components = bom["components"]
    assert all(one["licenses"] and (one.get("hashes") or one["bom-ref"].startswith("cargo:")) for one in components)
    listed = {one["bom-ref"] for one in components}
    crates = {one for one in listed if one.startswith("cargo:")}
    metadata = json.loads(said("cargo", "metadata", "--offline", "--format-version=1", "--features=postgres-tls", "--filter-platform=x86_64-unknown-linux-gnu",
                               cwd=REPOSITORY))
    known = {f"cargo:{package['name']}@{package['version']}" for package in metadata["packages"]}
    assert crates <= known and {f"cargo:{name}" for name in inside} <= crates, ({f"cargo:{name}" for name in inside} - crates, crates - known)
    # Only what comes from a registry has a sum; the crates of this repository have none.
    own = {path.parent.name for path in (REPOSITORY / "crates").glob("*/Cargo.toml")}
    unsummed = {one["name"] for one in components if not one.get("hashes")}
    assert unsummed <= own, unsummed - own
    needed = set(json.loads((REPOSITORY / "web" / "package.json").read_text())["dependencies"])
    tested = set(json.loads((REPOSITORY / "web" / "package.json").read_text())["devDependencies"])
    pages = {one.removeprefix("npm:").rpartition("@")[0]: one for one in listed if one.startswith("npm:")}
    assert needed <= pages.keys() and not tested & pages.keys(), (needed - pages.keys(), tested & pages.keys())
    scopes = {one["bom-ref"]: one["scope"] for one in components}
    assert {scopes[pages[name]] for name in ("svelte", "leaflet", "uplot")} == {"required"} and scopes[pages["vite"]] == "excluded"
    assert {scopes[one] for one in listed if one.startswith(("cargo:tokio@", "cargo:diesel@"))} == {"required"}
    assert {scopes[one] for one in listed if one.startswith(("cargo:serde_derive@", "cargo:cc@"))} == {"excluded"}
    return len(crates), len(pages)


def main(out, version):
    out = pathlib.Path(out)
    inside = check_files(out, version)
    crates, pages = check_bom(out / f"evenwatt-{version}.cdx.json", version, inside)
    print(f"    the files are as named, symbols are apart, the SBOM has {crates} crates ({len(inside)} seen in the program) and {pages} packages of npm")


main(*sys.argv[1:])

//! Makes edits of the migrations visible to the macro that embeds them, and builds the pages of `web/` with npm, so that the program
//! has them within.
//!
//! Nothing is written beside the sources: they are copied to `<target>/<profile>/pages`, where npm works and what it installed is
//! kept; what came of it is copied to `OUT_DIR`. A machine without npm builds a server whose pages say what is missing. `EVENWATT_PAGES` is `auto` (the default), `require`
//! (no build without pages), `off`, or a folder that has the built pages already.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What the pages are built from, in `web/`; all else there is for development and tests.
const INPUTS: [&str; 10] = [
    "package.json",
    "package-lock.json",
    ".npmrc",
    "vite.config.ts",
    "svelte.config.js",
    "tsconfig.json",
    "panel",
    "portal",
    "driver",
    "src",
];
/// Files that are taken over as they are: their names have no hash.
const PUBLIC: &str = "public";

/// Lines of npm's complaint that are kept.
const LINES_OF_COMPLAINT: usize = 12;

type Fault = Box<dyn Error>;

fn main() -> Result<(), Fault> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-env-changed=EVENWATT_PAGES");
    let web = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("web");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mode = env::var("EVENWATT_PAGES").unwrap_or_default();
    let built = match mode.as_str() {
        "off" => Err("This server was built with EVENWATT_PAGES=off.".into()),
        "" | "auto" | "require" => {
            let built = build(&web, &kept_between_builds(&out));
            if let Err(fault) = &built {
                warn(&fault.to_string());
            }
            built
        }
        folder => {
            println!("cargo:rerun-if-changed={folder}");
            fs::canonicalize(folder).map_err(|fault| format!("EVENWATT_PAGES={folder}: {fault}").into())
        }
    };
    let dist = out.join("dist");
    let text = match built {
        Ok(built) => {
            mirror(&built, &dist)?;
            table(&web, &dist)?
        }
        Err(fault) if matches!(mode.as_str(), "" | "auto" | "off") => format!("Err({:?})", fault.to_string()),
        Err(fault) => return Err(fault),
    };
    fs::write(out.join("pages.rs"), text)?;
    Ok(())
}

/// Cargo shows one line of a warning.
fn warn(fault: &str) {
    let first = fault.lines().next().unwrap_or_default();
    println!("cargo:warning=The server is built without its pages: {first} The pages say more.");
}

/// A folder that all builds of this profile share: `cargo clippy` has another `OUT_DIR` than `cargo build`.
fn kept_between_builds(out: &Path) -> PathBuf {
    let profile = out.ancestors().find(|folder| folder.ends_with("build")).and_then(Path::parent);
    profile.unwrap_or(out).join("pages")
}

/// Brings the pages up to date; where they are.
fn build(web: &Path, work: &Path) -> Result<PathBuf, Fault> {
    let (dist, is_built, installed) = (work.join("dist"), work.join("is-built"), work.join("installed.json"));
    let mut changed = false;
    for input in INPUTS.iter().chain([&PUBLIC]) {
        let source = web.join(input);
        println!("cargo:rerun-if-changed={}", source.display());
        changed |= mirror(&source, &work.join(input))?;
    }
    if changed {
        forget(&is_built)?; // before anything is built, which may be interrupted
    }
    if is_built.exists() {
        return Ok(dist);
    }
    let lock = fs::read(work.join("package-lock.json"))?;
    if fs::read(&installed).is_ok_and(|of| of == lock) && work.join("node_modules").is_dir() {
        npm(work, &["run", "build"])?;
    } else {
        forget(&installed)?;
        npm(work, &["ci", "--omit=dev", "--prefer-offline", "--fetch-retry-mintimeout=1000"])?;
        fs::write(&installed, lock)?;
        npm(work, &["run", "build"])?;
    }
    fs::write(is_built, "")?;
    Ok(dist)
}

fn forget(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}

/// Makes `copy` what `source` is; whether it was something else.
fn mirror(source: &Path, copy: &Path) -> io::Result<bool> {
    if !source.is_dir() {
        let bytes = fs::read(source)?;
        if fs::read(copy).is_ok_and(|old| old == bytes) {
            return Ok(false);
        }
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(copy, bytes)?;
        return Ok(true);
    }
    fs::create_dir_all(copy)?;
    let mut changed = false;
    for entry in fs::read_dir(copy)? {
        let old = entry?;
        let still = source.join(old.file_name());
        if still.is_dir() != old.path().is_dir() || !still.exists() {
            changed = true;
            match old.path().is_dir() {
                true => fs::remove_dir_all(old.path())?,
                false => fs::remove_file(old.path())?,
            }
        }
    }
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        changed |= mirror(&entry.path(), &copy.join(entry.file_name()))?;
    }
    Ok(changed)
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<(), Fault> {
    let called = Command::new("npm").args(arguments).current_dir(folder).env("NO_COLOR", "1").output();
    let said = called.map_err(|fault| {
        // Where it is looked for; an npm that comes into a folder that is searched already is not noticed.
        println!("cargo:rerun-if-env-changed=PATH");
        format!("npm cannot be run ({fault}); it comes with Node.js.")
    })?;
    if said.status.success() {
        return Ok(());
    }
    let complaint = format!("{}\n{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    let lines: Vec<&str> = complaint.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LINES_OF_COMPLAINT)..).unwrap_or_default();
    Err(format!("`npm {}` failed.\n{}", arguments.join(" "), last.join("\n")).into())
}

/// The source text of `app::pages::built::PAGES`: every file with its compressed forms.
fn table(web: &Path, dist: &Path) -> Result<String, Fault> {
    let mut text = "Ok(&[\n".to_owned();
    for path in files(dist)? {
        let name = path.strip_prefix(dist)?.display().to_string();
        let is_form = [".br", ".gz"].iter().any(|end| name.ends_with(end));
        if is_form {
            continue;
        }
        let form = |end: &str| {
            let form = dist.join(format!("{name}{end}"));
            if form.exists() { format!("Some(include_bytes!({form:?}))") } else { "None".to_owned() }
        };
        let is_hashed = name.starts_with("assets/") && !web.join(PUBLIC).join(&name).exists();
        let (br, gz) = (form(".br"), form(".gz"));
        writeln!(
            text,
            "PageFile {{ name: {name:?}, is_hashed: {is_hashed}, plain: include_bytes!({path:?}), br: {br}, gz: {gz} }},"
        )?;
    }
    text.push_str("])\n");
    Ok(text)
}

/// All files below a folder, in order.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    found.sort();
    Ok(found)
}

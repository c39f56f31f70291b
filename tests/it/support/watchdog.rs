//! Ends the whole run, with a name, where a test never ends: a run that is cut off from outside shows nobody why.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// No test takes that long on any machine.
const LIMIT: Duration = Duration::from_secs(300);

/// The tests that are under way: what they are called and since when they run.
type Running = HashMap<ThreadId, (String, Instant)>;

static RUNNING: LazyLock<Mutex<Running>> = LazyLock::new(|| {
    thread::spawn(watch);
    Mutex::default()
});

/// A test is under way while this lives.
struct Watched(ThreadId);

thread_local! {
    // It goes with the thread, after the test's runtime: that it ends is watched, too.
    static WATCHED: Watched = Watched::here();
}

/// Watches the test of this thread from now on.
pub fn watch_this_test() {
    WATCHED.with(|_| {});
}

fn running() -> MutexGuard<'static, Running> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watched {
    fn here() -> Self {
        let thread = thread::current();
        if let Some(name) = thread.name().filter(|name| *name != "main") {
            running().insert(thread.id(), (name.to_owned(), Instant::now()));
        }
        Self(thread.id())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        running().remove(&self.0);
    }
}

fn watch() {
    loop {
        thread::sleep(Duration::from_secs(5));
        for (name, since) in running().values() {
            let seconds = since.elapsed().as_secs();
            if seconds > LIMIT.as_secs() {
                // Not by `eprintln`, which tests keep for themselves.
                let _ = writeln!(std::io::stderr(), "\ntest {name} has not ended after {seconds} s; the run ends here");
                std::process::exit(101);
            }
        }
    }
}
